import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/run/run.ts';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';
import { recordedNs } from '../../src/workload/trace.ts';

const large = experimentOf(
  scenarioOf(
    {
      guest: {
        pages: 2 ** 24,
        pageSize: '1MiB',
        program: { kind: 'zipf', pages: 1_000, writesPerSecond: 10 },
      },
      link: { rate: '1Gbit/s', depth: '2MiB' },
    },
    { name: 'large' },
  ),
);

test.each([
  ['threads', '2 copies of the guests of 32 TiB'],
  ['vm', '3 copies of the guests of 48 TiB'],
] as const)('a guest larger than all memory is refused in world %s before anything is computed', async (world, what) => {
  await expect(run(large, { world })).rejects.toThrow(`not enough memory for ${what}: `);
});

test('each run of a recording begins at another instant of it, every cell of a run at the same, and the record says at which', async () => {
  const recorded = experimentOf(
    scenarioOf(
      {
        guest: {
          pages: 12_928,
          program: { kind: 'trace', file: 'traces/vlc-http-stream.ndjson.gz' },
        },
        link: { rate: '1Gbit/s' },
        compare: { 'migration.order': ['address', 'random'] },
        runs: 3,
      },
      { name: 'recorded', file: resolve(import.meta.dirname, '../../recorded.yaml') },
    ),
  );
  const cells = await run(recorded, { world: 'virtual' });
  const starts = cells.map(({ records }) => records.map(({ guest }) => guest.recordingStartNs));
  expect(starts[0]).toEqual(starts[1]);
  expect(new Set(starts[0]).size).toBe(3);
  const [program] = recorded.cells.map(({ guest }) => guest.program);
  if (program?.kind !== 'trace') throw new TypeError('a recording expected');
  for (const startNs of starts[0]!) expect(startNs! >= 0 && startNs! < recordedNs(program)).toBe(true);
});

test('a cell is repeated until that is enough, in its turn with the others; of a warm-up nobody is told', async () => {
  const two = experimentOf(
    scenarioOf(
      {
        guest: { pages: 100, program: { kind: 'sequential', writesPerSecond: 100 } },
        link: { rate: '100Mbit/s' },
        compare: { 'migration.order': ['address', 'lru'] },
        runs: 9,
        seed: 5,
      },
      { name: 'two' },
    ),
  );
  const told: [string, number, number][] = [];
  const carriedOut = run(two, {
    world: 'virtual',
    warmUps: 3,
    isEnough: (records) => records.length >= (records[0]!.plan.order === 'address' ? 2 : 4),
    listener: {
      starts({ cell, run, seed }) {
        told.push([cell.plan.order, run, seed]);
        return undefined;
      },
    },
  });
  const results = await carriedOut;
  expect(results.map(({ records }) => records.map(({ seed }) => seed))).toEqual([
    [5, 6],
    [5, 6, 7, 8],
  ]);
  expect(told).toEqual([
    ['address', 1, 5],
    ['lru', 1, 5],
    ['address', 2, 6],
    ['lru', 2, 6],
    ['lru', 3, 7],
    ['lru', 4, 8],
  ]);
  const never = await run(two, { world: 'virtual', isEnough: () => false });
  expect(never.map(({ records }) => records.length)).toEqual([9, 9]);
});
