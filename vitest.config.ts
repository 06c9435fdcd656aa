import { defineConfig } from 'vitest/config';

/** Two cores and real-time worlds: test files run one after another, so that they do not measure each other. */
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 },
});
