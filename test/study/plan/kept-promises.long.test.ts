import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { checked, planned } from '../../../bench/planned-check.ts';
import { plannedScenarios } from '../../../bench/planned-scenarios.ts';
import { isKept, isTight } from '../../../bench/planned-table.ts';

// Thousands of migrations in virtual time, on a machine that may have others to carry out.
vi.setConfig({ testTimeout: 480_000 });

/** The rest of the forty is for `npm run bench:plan`. */
const names = ['slides 200ms', 'small 70ms', 'vlc 250ms', 'redis 300ms', 'stream 90ms'];

test.each(
  plannedScenarios.filter(({ name }) => names.includes(name)),
)('$name, $target, is kept with 200 new seeds, and missed with a tenth less of any reservation', async (scenario) => {
  const row = await checked(scenario);
  expect(row.reason).toBeNull();
  expect(row.cuts.length).toBeGreaterThanOrEqual(2);
  expect(row.cuts.filter(({ isMissed }) => !isMissed)).toEqual([]);
  expect([isKept(row), isTight(row)]).toEqual([true, true]);
});

test('the same seed comes to the same answer, whatever else the machine has to do', async () => {
  const scenario = plannedScenarios.find(({ name }) => name === 'small 100ms')!;
  const { answer } = await planned(scenario, undefined);
  const others = Array.from({ length: 6 }, () => new Worker('for (;;);', { eval: true }));
  try {
    expect((await planned(scenario, undefined)).answer).toEqual(answer);
  } finally {
    for (const other of others) await other.terminate();
  }
});
