import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import type { End } from '../../src/core/wire/handover.ts';
import { kill } from '../../src/platform/child-process.ts';
import { migrateMachine } from '../../src/run/migrate-machine.ts';
import { scenarioOf } from '../../src/scenario/scenario.ts';
import { parseSetting } from '../../src/scenario/settings.ts';
import { LocalDestination } from '../../src/worlds/qemu/local-destination.ts';
import { Client } from './client.ts';
import type { ClientMeasurements } from './client-main.ts';
import { initramfs } from './initramfs.ts';
import { COMMAND_LINE } from './linux-machine.ts';
import { guestHost, guestMac, Network, prefixBits } from './network.ts';
import { linuxFiles } from './packages.ts';

const service = { host: guestHost, prefixBits, port: 6379 };
/** So long its client goes on after the move. */
const AFTERWARDS_MS = 1_000;

/** How a network finds out where a machine is. */
export type Told = 'by us, before the stop' | 'by the machine, after it';

export interface ServedMove {
  readonly record: MigrationRecord;
  readonly client: ClientMeasurements;
}

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
    const destination = start('destination', '-incoming', 'defer', '-S');
    while (!existsSync(destination)) await sleep(20);
    serving.watchGaps();
    const record = await migrateMachine({
      ...{ qmp: source, mode: 'pull' },
      scenario: scenarioOf({}, { name: 'bench', file: undefined }, settings.map(parseSetting)),
      destination: () => LocalDestination.open(destination),
      // What is sent to it from here on waits at the destination.
      stepped: (step) => {
        if (step.kind === 'send' && step.isLast) void network.move('destination');
      },
    });
    await sleep(AFTERWARDS_MS);
    return { record, client: await serving.measurements() };
  } finally {
    await client?.end();
    for (const one of started) await kill(one);
    await network.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
