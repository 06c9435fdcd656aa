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
