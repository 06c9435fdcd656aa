import { expect, test } from 'vitest';
import type { MigrationRecord } from '../../../src/core/migration/record.ts';
import type { MigrationRun } from '../../../src/run/migration-run.ts';
import { run } from '../../../src/run/run.ts';
import { loadExperiment } from '../../../src/scenario/scenario.ts';
import { perfettoTrace } from '../../../src/study/tables/perfetto-trace.ts';

/** The last migration of the scenario with CPU reservations, in virtual time. */
async function lastOf(): Promise<{ record: MigrationRecord; last: MigrationRun }> {
  const experiment = loadExperiment('config/13-cpu-reservations.yaml', [{ path: 'runs', value: 1 }]);
  const [cell] = experiment.cells.toReversed();
  let found: { record: MigrationRecord; last: MigrationRun } | undefined;
  await run(
    { ...experiment, cells: [cell!] },
    {
      world: 'virtual',
      listener: {
        ended: (record, last) => {
          found = { record, last };
        },
      },
    },
  );
  return found!;
}

test('a timeline has the rounds, the stop in its parts, the hand-over, and who ran on which processor', async () => {
  const { record, last } = await lastOf();
  const { traceEvents } = perfettoTrace(last);
  const stretches = traceEvents.filter(({ ph }) => ph === 'X');
  const called = (name: string) => stretches.find((one) => one.name === name)!;
  expect(called('round 1').dur).toBeCloseTo(record.rounds[0]!.durationNs / 1e3);
  expect(called('stop').dur).toBeCloseTo(record.downtimeNs / 1e3);
  expect(called('stop').ts).toBeCloseTo(last.pause.stoppedAtNs! / 1e3);
  const inParts = stretches.filter(({ pid, tid, name }) => pid === 1 && tid === 2 && name !== 'stop');
  expect(inParts.reduce((sum, { dur }) => sum + dur!, 0)).toBeCloseTo(record.downtimeNs / 1e3);
  const [leaves, arrives] = traceEvents.filter(({ ph }) => ph === 's' || ph === 'f');
  expect(arrives!.ts! - leaves!.ts!).toBeCloseTo(record.downtimeNs / 1e3);
  const ran = stretches.filter(({ pid, name }) => pid === 3 && name === 'sender');
  expect(ran.length).toBe(last.world.slices().filter(({ name }) => name === 'sender').length);
  for (const { ts, dur } of stretches) expect(Number.isFinite(ts) && dur! >= 0).toBe(true);
});
