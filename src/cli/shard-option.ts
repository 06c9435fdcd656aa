import { type Problem, shown, UsageError, usageError } from '../platform/problem.ts';
import { type Shard, wholeDesign } from '../study/sweep/agenda.ts';

/** What runs one command many times side by side, and the variables by which it tells each time which one it is. */
interface JobArray {
  readonly index: string;
  /** How many there are, and who says so. */
  readonly count: string;
  readonly countIs: string;
  /** The first and the last index and the distance between two; without these, 0 to count − 1. */
  readonly first?: string;
  readonly last?: string;
  readonly step?: string;
}

/**
 * Slurm: sbatch(1), *output environment variables*. Kubernetes: *Indexed Job for parallel processing with static work
 * assignment*; it does not tell a Pod the number of completions. AWS Batch: user guide, *job environment variables*.
 */
const jobArrays: readonly JobArray[] = [
  {
    index: 'SLURM_ARRAY_TASK_ID',
    count: 'SLURM_ARRAY_TASK_COUNT',
    countIs: 'the number of tasks, as Slurm sets it',
    first: 'SLURM_ARRAY_TASK_MIN',
    last: 'SLURM_ARRAY_TASK_MAX',
    step: 'SLURM_ARRAY_TASK_STEP',
  },
  {
    index: 'JOB_COMPLETION_INDEX',
    count: 'COMPLETIONS',
    countIs:
      'the number of completions, which Kubernetes does not tell: the manifest of the Job has to set it under env',
  },
  {
    index: 'AWS_BATCH_JOB_ARRAY_INDEX',
    count: 'AWS_BATCH_JOB_ARRAY_SIZE',
    countIs: 'the size of the array job, as AWS Batch sets it',
  },
];

/**
 * The part of a sweep that `--shard` names.
 * @param text i/n, or `auto`: what the variables of the process's environment say
 * @throws UsageError it is none, or the variables are missing or contradict each other
 */
export function shardOf(text: string | undefined, variables: NodeJS.ProcessEnv): Shard {
  if (text === undefined) return wholeDesign;
  if (text === 'auto') return shardIn(jobArrayOf(variables), variables);
  const [index, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1).map(Number);
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of };
  throw usageError('--shard', 'i/n with i from 1 to n, such as 2/8, or auto', text);
}

function jobArrayOf(variables: NodeJS.ProcessEnv): JobArray {
  const [jobArray, ...others] = jobArrays.filter(({ index }) => variables[index] !== undefined);
  if (!jobArray) {
    const names = jobArrays.map(({ index }) => index).join(', ');
    const expected = `i/n, or auto within a job array, which sets one of ${names}`;
    throw new UsageError([{ path: '--shard', expected, found: 'auto, and none of them set' }]);
  }
  if (others.length > 0) {
    const found = `auto, and ${[jobArray, ...others].map(({ index }) => index).join(' and ')} set`;
    const expected = 'i/n, or auto within one job array';
    throw new UsageError([{ path: '--shard', expected, found }]);
  }
  return jobArray;
}

function shardIn(jobArray: JobArray, variables: NodeJS.ProcessEnv): Shard {
  const problems: Problem[] = [];
  const numberOf = (name: string, least: number, what: string): number => {
    const text = variables[name];
    if (text !== undefined && /^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    problems.push({ path: name, expected: what, found: shown(text) });
    return Number.NaN;
  };
  const own = numberOf(jobArray.index, 0, 'the index of this task, a whole number');
  const of = numberOf(jobArray.count, 1, jobArray.countIs);
  const first = jobArray.first ? numberOf(jobArray.first, 0, 'the first index of the array') : 0;
  const step = jobArray.step ? numberOf(jobArray.step, 1, 'the step of the array') : 1;
  const end = first + (of - 1) * step;
  const last = jobArray.last ? numberOf(jobArray.last, 0, 'the last index of the array') : end;
  if (problems.length > 0) throw new UsageError(problems);

  const indices = `${of} indices from ${first} in steps of ${step}`;
  if (last !== end) throw usageError(jobArray.last!, `${end}, the last of ${indices}`, last);
  const index = (own - first) / step + 1;
  if (Number.isInteger(index) && index >= 1 && index <= of) return { index, of };
  throw usageError(jobArray.index, `one of ${indices}`, own);
}
