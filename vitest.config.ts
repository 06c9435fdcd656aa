import { configDefaults, defineConfig } from 'vitest/config';

/** Processes that are killed and frozen want a machine that is not overrun: FAULTS=some or FAULTS=all runs them. */
const faults = process.env.FAULTS === undefined ? ['test/faults/**'] : [];

/** Two cores and real-time worlds: test files run one after another, so that they do not measure each other. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...faults],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
