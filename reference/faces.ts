/** The faces of the library: what is imported, where it is written, and its page. */
export const faces = [
  { name: 'switchover', source: 'src/index.ts', page: 'migration' },
  { name: 'switchover/sched', source: 'src/library/sched.ts', page: 'sched' },
  { name: 'switchover/model', source: 'src/library/model.ts', page: 'model' },
  { name: 'switchover/scenario', source: 'src/library/scenario.ts', page: 'scenario' },
  { name: 'switchover/run', source: 'src/library/run.ts', page: 'run' },
] as const;

export type Face = (typeof faces)[number];
