import { expect, test } from 'vitest';
import { run } from '../../src/run/run.ts';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';

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
