import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Nanos } from '../../src/core/units.ts';
import type { End } from '../../src/core/wire/handover.ts';
import { kill } from '../../src/platform/child-process.ts';
import { migrateMachine } from '../../src/run/migrate-machine.ts';
import { scenarioOf } from '../../src/scenario/scenario.ts';
import { parseSetting } from '../../src/scenario/settings.ts';
import { LocalDestination } from '../../src/worlds/qemu/local-destination.ts';
import { moveNatively } from '../native-move.ts';
import { Client } from './client.ts';
import type { ClientMeasurements } from './client-main.ts';
import { initramfs } from './initramfs.ts';
import { COMMAND_LINE } from './linux-machine.ts';
import { guestHost, guestMac, Network, prefixBits } from './network.ts';
import { linuxFiles } from './packages.ts';

const service = { host: guestHost, prefixBits, port: 6379 };
/** So long its client goes on after the move. */
const AFTERWARDS_MS = 1_000;

/** So long the network takes to know it. */
const MOVED_WITHIN_MS = 8;

/** How a network finds out where a machine is, and who moves that. */
export type Told = 'by us, before the stop' | 'by the machine, after it' | 'by us at the stop, of QEMU alone';

export interface ServedMove {
  /** Why it was stopped, of a move that completed. */
  readonly how: string;
  readonly completed: boolean;
  readonly downtimeNs: Nanos;
  readonly client: ClientMeasurements;
}

/** b and b_d of QEMU alone, and its limit of downtime: as little is left as after the rounds of our moves. */
const [RATE, LIMIT_MS] = [62.5e6, 5];

/**
 * A Linux machine whose Redis a client outside writes to, over a tap device and a bridge, moved from one QEMU that we have not
 * started to another one.
 * @param qemu the program and the options by which it finds its data
 * @throws Failure no packages, no Redis or no privilege; nothing has been left behind
 */
export async function moveServed(
  qemu: readonly string[],
  settings: readonly string[],
  told: Told,
): Promise<ServedMove> {
  const { kernel, ...others } = await linuxFiles();
  const folder = mkdtempSync(join(tmpdir(), 'switchover-served-'));
  const network = await Network.create({ learns: told === 'by the machine, after it' });
  const started: ChildProcess[] = [];
  let client: Client | undefined;
  try {
    writeFileSync(join(folder, 'initramfs'), initramfs({ kernel, ...others }, service));
    await network.begin();
    // A network that knows already need not be told before anybody is answered.
    const announces = told === 'by the machine, after it' ? 'on' : 'off';
    const start = (end: End, ...more: readonly string[]) => {
      const socket = join(folder, end);
      started.push(spawn('setpriv', [...wordsFor(end), ...more], { stdio: 'ignore' }));
      return socket;
    };
    const wordsFor = (end: End): readonly string[] => {
      const { namespace, port } = network.plug(end);
      return [
        ...['--pdeathsig', 'KILL', 'nsenter', `--net=${namespace}`, ...qemu],
        ...['-accel', 'tcg', '-M', 'pc', '-m', '192'],
        ...['-nodefaults', '-no-user-config', '-display', 'none'],
        ...['-kernel', kernel, '-initrd', join(folder, 'initramfs'), '-no-reboot'],
        ...['-append', COMMAND_LINE],
        ...['-netdev', `tap,id=net,ifname=${port},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=net,mac=${guestMac},romfile=,guest_announce=${announces}`],
        ...['-qmp', `unix:${join(folder, end)},server=on,wait=off`],
      ];
    };
    const source = start('source');
    const serving = await Client.start(network.namespace, service);
    client = serving;
    const isAlone = told === 'by us at the stop, of QEMU alone';
    const destination = start('destination', '-incoming', 'defer', ...(isAlone ? [] : ['-S']));
    while (!existsSync(destination)) await sleep(20);
    serving.watchGaps();
    const moves = () => void network.move('destination');
    const moved = await (isAlone
      ? movedAlone(source, destination, moves)
      : movedByUs(source, destination, settings, moves));
    await sleep(AFTERWARDS_MS);
    return { ...moved, client: await serving.measurements() };
  } finally {
    await client?.end();
    for (const one of started) await kill(one);
    await network.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Moved = Omit<ServedMove, 'client'>;

/** @param moves what is sent to it from then on waits at the destination */
async function movedByUs(
  source: string,
  destination: string,
  settings: readonly string[],
  moves: () => void,
): Promise<Moved> {
  const { outcome, reason, stop, downtimeNs, fidelity } = await migrateMachine({
    ...{ qmp: source, mode: 'pull' },
    scenario: scenarioOf({}, { name: 'bench', file: undefined }, settings.map(parseSetting)),
    destination: () => LocalDestination.open(destination),
    stepped: (step) => {
      if (step.kind !== 'send' || !step.isLast) return;
      moves();
      // What is sent to a source that stands already is lost, and TCP repeats it after 200 ms.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MOVED_WITHIN_MS);
    },
  });
  const waited = ((fidelity?.ruleToStopNs ?? Number.NaN) / 1e6).toFixed(1);
  const how = `${outcome} (${reason}), ${stop.pages} pages left, ${waited} ms after its rule`;
  return { how, completed: outcome === 'completed', downtimeNs };
}

async function movedAlone(source: string, destination: string, moves: () => void): Promise<Moved> {
  const { pagesLeft, downtimeNs } = await moveNatively(source, destination, RATE, LIMIT_MS, moves);
  return { how: `completed, ${pagesLeft} pages left`, completed: true, downtimeNs };
}
