import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import type { perfettoTrace } from '../../src/study/tables/perfetto-trace.ts';
import { main } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-perfetto-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The last migration of the scenario with CPU reservations, in virtual time. */
function lastMigration() {
  const [records, timeline] = [join(folder, 'records'), join(folder, 'timeline')];
  const options = ['--runs', '1', '--quiet', '--json', records, '--perfetto', timeline];
  const { status } = spawnSync(process.execPath, [main, 'run', '13-cpu-reservations', ...options]);
  expect(status).toBe(0);
  const record = JSON.parse(readFileSync(records, 'utf8').trim().split('\n').at(-1)!) as MigrationRecord;
  return { record, ...(JSON.parse(readFileSync(timeline, 'utf8')) as ReturnType<typeof perfettoTrace>) };
}

test('a timeline has the rounds, the stop in its parts, the hand-over, and who ran on which processor', () => {
  const { record, traceEvents } = lastMigration();
  const stretches = traceEvents.filter(({ ph }) => ph === 'X');
  const called = (name: string) => stretches.find((one) => one.name === name)!;
  const first = called('round 1');
  expect(first.dur).toBeCloseTo(record.rounds[0]!.durationNs / 1e3);
  expect(called('round 2').ts).toBeCloseTo(first.ts! + first.dur!);
  const stop = called('stop');
  expect(stop.dur).toBeCloseTo(record.downtimeNs / 1e3);
  expect(stop.ts! + stop.dur! - first.ts!).toBeCloseTo(record.totalNs / 1e3);
  const inParts = stretches.filter(
    ({ pid, tid, name }) => pid === stop.pid && tid === stop.tid && name !== 'stop',
  );
  expect(inParts.reduce((sum, { dur }) => sum + dur!, 0)).toBeCloseTo(record.downtimeNs / 1e3);
  const [leaves, arrives] = traceEvents.filter(({ ph }) => ph === 's' || ph === 'f');
  expect(arrives!.ts! - leaves!.ts!).toBeCloseTo(record.downtimeNs / 1e3);
  const ran = stretches.filter(({ pid }) => pid === 3);
  expect(new Set(ran.map(({ name }) => name))).toEqual(
    new Set(['guest', 'sender', 'hog-1', 'hog-2', 'hog-3']),
  );
  // One processor: nobody runs while somebody else does.
  const inOrder = ran.toSorted((one, other) => one.ts! - other.ts!);
  for (const [index, { ts }] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before) expect(ts!).toBeGreaterThanOrEqual(before.ts! + before.dur! - 1e-3);
  }
  // A server under hard reservations gets no more than Q in a period that begins with its deadline, and all of it if it has work.
  const budget = traceEvents.filter(({ ph, name }) => ph === 'C' && name === 'budget of sender, ms');
  const served = budget.map(({ args }) => args!.served as number);
  expect(Math.max(...served)).toBeGreaterThanOrEqual(5 - 1e-3);
  expect(new Set(budget.map(({ args }) => args!.reserved))).toEqual(new Set([5]));
  const tracks = traceEvents.flatMap(({ ph, pid, args }) => (ph === 'M' && pid === 4 ? [args!.name] : []));
  expect(tracks).toEqual(['CPU reservations', 'guest, 4 of 10 ms', 'sender, 5 of 10 ms']);
});
