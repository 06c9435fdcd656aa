import { configDefaults, defineConfig } from 'vitest/config';

/** What neither waits nor measures. */
const computed = [
  'test/*.test.ts',
  'test/{core,model,run,scenario,study,workload}/**/*.test.ts',
  'test/worlds/virtual/**/*.test.ts',
];

/** Processes of their own, of which nothing is asked that depends on how long they take. */
const outcomes = [
  'test/cli/{doctor,key-file,predict,recover,report,schedule,stress,sweep}.test.ts',
  'test/daemon/{admission,bad-requests,configuration,dashboards,event-log,metrics,openapi,page}.test.ts',
  'test/faults/{faults,killed,refused}.test.ts',
  'test/observe/{address-space,file-memory}.test.ts',
  'test/worlds/threads/dirty-log.test.ts',
  'test/transport/{ask,frame-reader,hostile-stream,journal,incoming-migration,receiving-server,who-may-connect}.test.ts',
  'test/worlds/vm/{boot,faults,virtual-machine,compared-memory}.test.ts',
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
        test: { name: 'outcomes', include: outcomes, maxWorkers: '100%', sequence: { groupOrder: 1 } },
      },
      {
        // Alone, one file after another, so that they measure nothing but themselves.
        extends: true,
        test: {
          name: 'real time',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...computed, ...outcomes],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
