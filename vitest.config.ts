import { configDefaults, defineConfig } from 'vitest/config';

/** What neither waits nor measures. */
const computed = [
  'test/*.test.ts',
  'test/core/**/*.test.ts',
  'test/lab/**/*.test.ts',
  'test/worlds/{guests,virtual}/**/*.test.ts',
];

/** Processes of their own, of which nothing is asked that depends on how long they take. */
const commands = [
  'test/cli/{key-file,predict,recover,report,schedule,stress,sweep}.test.ts',
  'test/daemon/bad-requests.test.ts',
];

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
        test: { name: 'commands', include: commands, maxWorkers: '100%', sequence: { groupOrder: 1 } },
      },
      {
        // Alone, one file after another, so that they measure nothing but themselves.
        extends: true,
        test: {
          name: 'real time',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...computed, ...commands],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
