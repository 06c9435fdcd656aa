import { configDefaults, defineConfig } from 'vitest/config';

/** What neither waits nor measures; all else is of real time, and runs alone, so that it measures nothing but itself. */
const computed = [
  'test/*.test.ts',
  'test/core/**/*.test.ts',
  'test/lab/**/*.test.ts',
  'test/worlds/{guests,virtual}/**/*.test.ts',
];

/** Processes that are killed and frozen want a machine that is not overrun: FAULTS=some or FAULTS=all runs them. */
const faults = process.env.FAULTS === undefined ? ['test/faults/**'] : [];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'computed',
          include: computed,
          pool: 'threads',
          isolate: false,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real time',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...computed, ...faults],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
