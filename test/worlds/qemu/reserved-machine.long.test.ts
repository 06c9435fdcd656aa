import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { settleMachines } from '../../../src/worlds/qemu/settle-machines.ts';
import { switchover } from '../../fixtures/command.ts';
import { withoutQemu10 } from '../../fixtures/others-machine.ts';
import { killed, RelayedMachine, slowly } from '../../fixtures/relayed-machine.ts';
import { scheduledThreads, withoutDeadline } from '../../fixtures/scheduled-threads.ts';

// Each takes some seconds. One of dozens was seen to hang, and why is not known: that is to be seen soon.
vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

const reserved = [
  ...slowly,
  ...['guest', 'sender'].flatMap((end) => [
    `${end}.reservation.budget=3ms`,
    `${end}.reservation.period=10ms`,
  ]),
];
/** Each row once; the variable asks for more. */
const repeats = Number(process.env.MACHINE_FAULTS ?? 1) - 1;

let moved: RelayedMachine;
let before: Readonly<Record<string, string>>;
beforeEach(async (context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  if (withoutDeadline !== undefined) context.skip(withoutDeadline);
  moved = await RelayedMachine.start();
  before = scheduledThreads(moved.source.child.pid!);
});
afterEach(async () => {
  await moved?.end();
});

/** The threads that it had then; others come and go. */
function expectAsBefore(): void {
  const after = scheduledThreads(moved.source.child.pid!);
  expect(Object.keys(before).map((thread) => after[thread])).toEqual(Object.values(before));
}

const withDeadline = () =>
  Object.values(scheduledThreads(moved.source.child.pid!)).filter((one) => one.includes('SCHED_DEADLINE'));

const kept = [
  { of: 'guest', by: 'SCHED_DEADLINE', budgetNs: 3e6, periodNs: 10e6, whyNot: null, threads: 1 },
  { of: 'sender', by: 'SCHED_DEADLINE', budgetNs: 3e6, periodNs: 10e6, whyNot: null, threads: 1 },
];

test('a machine moves under reservations, and its threads are scheduled as before', async () => {
  let held = 0;
  const record = await moved.move(reserved, {
    stepped: ({ kind }) => {
      if (kind === 'send') held = Math.max(held, withDeadline().length);
    },
  });
  expect(record).toMatchObject({ outcome: 'completed', fidelity: { reservations: kept } });
  expect(held).toBe(2);
  const [guest, sender] = record.fidelity!.reservations!;
  expect(guest!.usedNs / guest!.windowNs).toBeLessThan(0.35);
  expect(guest!.usedNs).toBeGreaterThan(0);
  expect(sender!.usedNs).toBeGreaterThan(0);
  expectAsBefore();
  expect(readdirSync(moved.journals)).toEqual([]);
});

test.each([
  ['its destination is killed', () => moved.destination.child.kill('SIGKILL'), 'failed'],
  ['somebody else cancels', () => moved.source.theirs.execute('migrate_cancel'), 'failed'],
  ['its user cancels', (stop: AbortController) => stop.abort('enough'), 'cancelled'],
] as const)(
  'when %s, it runs on at its source, scheduled as before',
  { repeats },
  async (_, act, outcome) => {
    const interruption = new AbortController();
    let isUnderWay = false;
    const record = await moved.move(reserved, {
      interrupted: interruption.signal,
      stepped: ({ kind }) => {
        if (kind === 'track' && !isUnderWay) void sleep(300).then(() => act(interruption));
        isUnderWay ||= kind === 'track';
      },
    });
    expect(record).toMatchObject({ outcome, owner: 'source' });
    expect((await moved.runs())[0]).toBe(true);
    expectAsBefore();
  },
);

test.each([
  ['before its first round', async () => {}],
  ['in its first round', () => moved.happens('MIGRATION_PASS').then(() => sleep(300))],
  ['in its stop', () => moved.happens('STOP').then(() => sleep(300))],
] as const)('if we are killed %s, recover schedules it as before', { repeats }, async (when, phase) => {
  // What is waited for may be over before its reader has heard that it has begun.
  const reached = phase();
  const relay = moved.moveApart(reserved);
  await once(relay.stdout!, 'data');
  await reached;
  expect(withDeadline()).not.toEqual([]);
  await killed(relay);
  const { stdout, code } = await switchover('recover', moved.journals, '--json', '-');
  const { reservations, settings, moves } = JSON.parse(stdout);
  expect(reservations).toMatchObject([{ socket: moved.source.ours, did: 'restored' }]);
  // Before its first round, whoever moves it may not have come so far that there is more to settle.
  if (when !== 'before its first round' || settings.length > 0)
    expect(settings).toMatchObject([{ did: 'restored' }]);
  if (when !== 'before its first round' || moves.length > 0)
    expect(moves).toMatchObject([{ did: 'stayed at its source' }]);
  expect(code).toBe(0);
  expect(await moved.runs()).toEqual([true, false]);
  expectAsBefore();
  expect(readdirSync(moved.journals)).toEqual([]);
});

test('if we are killed and nobody recovers, the next move schedules it as before first', async () => {
  const begun = moved.happens('MIGRATION_PASS').then(() => sleep(300));
  const relay = moved.moveApart(reserved);
  await begun;
  await killed(relay);
  await settleMachines(moved.journals);
  await moved.waitAgain();
  const record = await moved.move([...reserved, 'migration.stop.rounds=1']);
  expect(record.fidelity!.reservations).toMatchObject(kept);
  expectAsBefore();
});
