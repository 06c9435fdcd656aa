import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests of these rooms compute: they start no process and no thread, and open no socket. */
const computed = 'test/{core,model,scenario,study,workload,worlds/virtual}/**/*.test.ts';
const realTime = 'test/**/*.real-time.test.ts';
const long = 'test/**/*.long.test.ts';
const longRealTime = 'test/**/*.long.real-time.test.ts';

/**
 * A test file's path says in which project it is (docs/decisions/041). `npm test` runs the first three, `npm run test:long`
 * the others.
 */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is to come about may take long where the machine is busy.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'computed',
          include: [computed],
          exclude: [realTime, long],
          pool: 'threads',
          isolate: false,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Processes, threads and sockets, of which nothing is asked that depends on how long they take. For most of their
        // time they wait, so that there are more workers than processors. Files share a worker's modules, so that
        // these need not be loaded anew for each.
        extends: true,
        test: {
          name: 'processes',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [computed, realTime, long],
          maxWorkers: Math.ceil(2.5 * availableParallelism()),
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Alone, one file after another, so that they measure nothing but themselves.
        extends: true,
        test: {
          name: 'real-time',
          include: [realTime],
          exclude: [longRealTime],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: [long],
          maxWorkers: 3,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long-real-time',
          include: [longRealTime],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
