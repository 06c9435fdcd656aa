import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../../src/core/migration/record.ts';
import { restoreLeft } from '../../../src/qemu/borrowed-settings.ts';
import { readSettings } from '../../../src/qemu/migration-settings.ts';
import { type MachineMigration, migrateMachine } from '../../../src/run/migrate-machine.ts';
import { scenarioOf } from '../../../src/scenario/scenario.ts';
import { parseSetting } from '../../../src/scenario/settings.ts';
import type { DestinationThere } from '../../../src/transport/address.ts';
import { LocalDestination } from '../../../src/worlds/qemu/local-destination.ts';
import { MachineReceiver } from '../../../src/worlds/qemu/machine-receiver.ts';
import { RemoteDestination } from '../../../src/worlds/qemu/remote-destination.ts';
import { OthersMachine, qemu10, withoutQemu10 } from '../../fixtures/others-machine.ts';

let machine: OthersMachine;
let waiting: OthersMachine;
let journals: string;

beforeEach(async (context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  journals = mkdtempSync(join(tmpdir(), 'switchover-journals-'));
  machine = await OthersMachine.start(qemu10);
  waiting = await OthersMachine.start(qemu10, '-incoming', 'defer');
});
afterEach(async () => {
  await machine?.end();
  await waiting?.end();
  if (journals) rmSync(journals, { recursive: true, force: true });
});

const slowly = [
  'link.rate=4Mbit/s',
  'link.stopRate=4Mbit/s',
  'migration.order=address',
  'migration.stop.rounds=3',
];

function move(settings: readonly string[], more: Partial<MachineMigration> = {}): Promise<MigrationRecord> {
  return migrateMachine({
    ...{ qmp: machine.ours, mode: 'pull', journals },
    scenario: scenarioOf({}, { name: 'test', file: undefined }, settings.map(parseSetting)),
    destination: () => LocalDestination.open(waiting.ours),
    ...more,
  });
}

const runs = async ({ theirs }: OthersMachine) =>
  (await theirs.execute<{ readonly running: boolean }>('query-status')).running;

/** Something happens while the first round is under way. */
function duringFirstRound(act: () => unknown): Pick<MachineMigration, 'stepped'> {
  return {
    stepped: ({ kind }) => {
      if (kind === 'track') void sleep(300).then(act);
    },
  };
}

describe('a machine that somebody else has started', () => {
  test.each([['pull'], ['pass']] as const)('moves with all its memory, mode %s', async (mode) => {
    const record = await move([...slowly, 'migration.verify=full'], { mode });
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination', world: 'qemu' });
    expect(record.verified.memory).toBe('identical');
    expect(record.rounds).toHaveLength(3);
    expect(record.fidelity).toMatchObject({ mode, neverSentPages: 0 });
    expect(record.link.worstExcessBytes).toBeLessThanOrEqual(0);
    expect([await runs(machine), await runs(waiting)]).toEqual([false, true]);
  });

  test('moves with all its memory if hot pages are held back in the last round', async () => {
    const settings = [
      'migration.order=lru',
      'migration.defer.count=64',
      'migration.observe=1s',
      'migration.verify=full',
    ];
    const record = await move([...slowly, ...settings]);
    expect(record).toMatchObject({ outcome: 'completed', verified: { memory: 'identical' } });
    expect(record.rounds).toHaveLength(3);
    expect(record.fidelity!.neverSentPages).toBe(0);
  });

  test('stays as it was, with all its settings, when its destination is killed', async () => {
    const before = await readSettings(machine.theirs);
    const record = await move(
      slowly,
      duringFirstRound(() => waiting.child.kill('SIGKILL')),
    );
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(await runs(machine)).toBe(true);
    expect(await readSettings(machine.theirs)).toEqual(before);
  });

  test('stays as it was when its user cancels by QEMU', async () => {
    const before = await readSettings(machine.theirs);
    const record = await move(
      slowly,
      duringFirstRound(() => machine.theirs.execute('migrate_cancel')),
    );
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(await runs(machine)).toBe(true);
    expect(await readSettings(machine.theirs)).toEqual(before);
  });

  test('moves paused if its user pauses it', async () => {
    const record = await move(
      slowly,
      duringFirstRound(() => machine.theirs.execute('stop')),
    );
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect([await runs(machine), await runs(waiting)]).toEqual([false, false]);
  });

  test('is nobody’s when it is killed, and its destination never runs', async () => {
    const record = await move(
      slowly,
      duringFirstRound(() => machine.child.kill('SIGKILL')),
    );
    expect(record.outcome).toBe('failed');
    expect(waiting.child.exitCode === null && (await runs(waiting).catch(() => false))).toBe(false);
  });

  test('is cancelled with a reason, and runs on', async () => {
    const interruption = new AbortController();
    const record = await move(slowly, {
      interrupted: interruption.signal,
      ...duringFirstRound(() => interruption.abort('enough')),
    });
    expect(record).toMatchObject({ outcome: 'cancelled', reason: 'enough', owner: 'source' });
    expect(await runs(machine)).toBe(true);
  });

  test('is refused, untouched, with a capability that changes the stream', async () => {
    const capabilities = [{ capability: 'xbzrle', state: true }];
    await machine.theirs.execute('migrate-set-capabilities', { capabilities });
    await expect(move(slowly)).rejects.toThrow(/cannot be moved under a plan: .*xbzrle must be off/);
    expect((await machine.theirs.execute<{ status?: string }>('query-migrate')).status).toBeUndefined();
  });

  test('runs on if we are killed, and recover restores its settings', async () => {
    const before = await readSettings(machine.theirs);
    const args = [
      'dist/cli/main.js',
      'migrate',
      '--qmp',
      machine.ours,
      '--to-qmp',
      waiting.ours,
      '--journal',
      journals,
    ];
    const child = spawn(process.execPath, [...args, ...slowly.flatMap((setting) => ['--set', setting])]);
    await once(child.stdout, 'data');
    await sleep(700);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await sleep(500);
    expect(await runs(machine)).toBe(true);
    expect(await restoreLeft(journals)).toMatchObject([{ did: 'restored' }]);
    expect(await readSettings(machine.theirs)).toEqual(before);
  });
});

test('a machine moves to the QEMU behind another host’s receiver, encrypted from the key', async () => {
  const key = randomBytes(32);
  const ended: string[] = [];
  const receiver = await MachineReceiver.listen({
    ...{ host: '127.0.0.1', port: 0, key, waiting: async () => waiting.ours },
    log: (line) => ended.push(line),
  });
  try {
    const stranger = { ...receiver.address, key: randomBytes(32) };
    const openAt = (there: DestinationThere) => (guest: string) =>
      RemoteDestination.open(there, { guest, move: randomUUID() });
    await expect(move(slowly, { destination: openAt(stranger) })).rejects.toThrow();
    const there = { ...receiver.address, key };
    const record = await move(slowly, { destination: openAt(there) });
    expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect([await runs(machine), await runs(waiting)]).toEqual([false, true]);
    expect(ended.at(-1)).toContain("guest 'machine' runs here");
  } finally {
    receiver.close();
  }
});
