import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clockNs } from '../src/platform/clock.ts';
import { connectMonitor } from '../src/qemu/connect-monitor.ts';
import { MigrationSocket } from '../src/qemu/migration-socket.ts';
import { Pacer } from '../src/transport/pacer.ts';
import { MachineEvents, reaches } from '../src/worlds/qemu/machine-events.ts';
import { PageFlow } from '../src/worlds/qemu/page-flow.ts';
import { StreamRelay } from '../src/worlds/qemu/stream-relay.ts';

const unreserved = { checkpoint() {}, block() {}, unblock() {} };

/** What a move came to. */
export interface MoveCosts {
  readonly pagesLeft: number;
  readonly downtimeNs: number;
  readonly totalNs: number;
}

/**
 * QEMU's own migration, which decides everything itself. It leaves over a link of this rate, kept by our pacer, because QEMU keeps no rate
 * once its guest is stopped.
 * @param rate bytes a second; null: as fast as they go
 * @param limitMs its downtime limit
 * @param onStop what is done as soon as its guest stands
 */
export async function moveNatively(
  from: string,
  to: string,
  rate: number | null,
  limitMs: number,
  onStop = () => {},
): Promise<MoveCosts> {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-native-'));
  const [source, destination] = [await connectMonitor(from), await connectMonitor(to)];
  const leaving = await MigrationSocket.open(rate === null ? undefined : 16 * 1024);
  try {
    // Of a machine that came here through us, the return path is still on.
    const capabilities = [
      { capability: 'events', state: true },
      { capability: 'return-path', state: false },
    ];
    for (const qmp of [source, destination]) await qmp.execute('migrate-set-capabilities', { capabilities });
    await source.execute('migrate-set-parameters', {
      'max-bandwidth': rate ?? 0,
      'avail-switchover-bandwidth': rate ?? 0,
      'downtime-limit': limitMs,
    });
    const [here, there] = [new MachineEvents(source), new MachineEvents(destination)];
    const stopped = here.next(({ name }) => name === 'STOP');
    const runs = there.next(({ name }) => name === 'RESUME');
    const completed = reaches(here, 'completed', 'source');
    const path = join(folder, 'socket');
    await destination.execute('migrate-incoming', { uri: `unix:${path}` });
    const arriving = await connected(path);
    const beganNs = clockNs();
    await source.execute('migrate', { uri: leaving.uri });
    const flow = new PageFlow();
    const pacer = new Pacer(256 * 1024, unreserved);
    pacer.setRate(rate);
    new StreamRelay({ source: await leaving.connected, destination: arriving, wire: undefined }, pacer, flow);
    const { atNs } = await Promise.race([stopped, completed]);
    onStop();
    const pagesBefore = flow.pages;
    await completed;
    const { atNs: runsNs } = await runs;
    return { pagesLeft: flow.pages - pagesBefore, downtimeNs: runsNs - atNs, totalNs: runsNs - beganNs };
  } finally {
    leaving.close();
    source.close();
    destination.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}
