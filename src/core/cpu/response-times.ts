/** How long the jobs of one server or task took, from their release to their end. */
export interface ResponseTimes {
  /** How many were done before the horizon: of these are `worst` and `mean`, null if there is none. */
  readonly jobs: number;
  readonly worst: number | null;
  readonly mean: number | null;
  /** How many were not done by their deadline, of those that were due before the horizon; null: nothing says when they are due. */
  readonly missed: number | null;
}

/** The jobs of one, done in the order of their release. */
export interface TimedJobs {
  /** When the n-th is released; Infinity: there is none. */
  readonly release: (job: number) => number;
  /** When the n-th was done, of those that were. */
  readonly finishes: readonly number[];
  /** D: how long after its release a job is due; undefined: nothing says so. */
  readonly dueAfter: number | undefined;
}

export function responseTimes({ release, finishes, dueAfter }: TimedJobs, horizon: number): ResponseTimes {
  const took = finishes.map((at, job) => at - release(job));
  const jobs = took.length;
  const sum = took.reduce((total, one) => total + one, 0);
  return {
    jobs,
    worst: jobs === 0 ? null : took.reduce((most, one) => Math.max(most, one), 0),
    mean: jobs === 0 ? null : sum / jobs,
    missed: dueAfter === undefined ? null : missed(took, release, dueAfter, horizon),
  };
}

function missed(
  took: readonly number[],
  release: TimedJobs['release'],
  dueAfter: number,
  horizon: number,
): number {
  let late = took.filter((one) => one > dueAfter).length;
  for (let job = took.length; release(job) + dueAfter <= horizon; job++) late += 1;
  return late;
}

/**
 * Of a server that is always busy each budget counts as a job. When they were used up, from its slices in the order of
 * time.
 */
export function budgetsUsedUp(
  slices: readonly { readonly start: number; readonly end: number }[],
  budget: number,
): number[] {
  const instants: number[] = [];
  let left = budget;
  for (const { start, end } of slices) {
    let at = start;
    for (; end - at >= left; left = budget) {
      at += left;
      instants.push(at);
    }
    left -= end - at;
  }
  return instants;
}
