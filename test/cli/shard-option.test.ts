import { describe, expect, test } from 'vitest';
import { shardOf } from '../../src/cli/shard-option.ts';
import { UsageError } from '../../src/platform/problem.ts';

type Variables = Readonly<Record<string, string>>;

const slurm = (task: number, first = 1, count = 8, step = 1): Variables => ({
  SLURM_ARRAY_TASK_ID: `${task}`,
  SLURM_ARRAY_TASK_COUNT: `${count}`,
  SLURM_ARRAY_TASK_MIN: `${first}`,
  SLURM_ARRAY_TASK_MAX: `${first + (count - 1) * step}`,
  SLURM_ARRAY_TASK_STEP: `${step}`,
});
const kubernetes = { JOB_COMPLETION_INDEX: '0', COMPLETIONS: '8' };
const batch = { AWS_BATCH_JOB_ARRAY_INDEX: '7', AWS_BATCH_JOB_ARRAY_SIZE: '8' };

const auto = (variables: Variables) => shardOf('auto', variables);

function refused(text: string, variables: Variables = {}): string {
  try {
    shardOf(text, variables);
  } catch (cause) {
    expect(cause).toBeInstanceOf(UsageError);
    return (cause as UsageError).message;
  }
  throw new Error(`${text} was accepted`);
}

describe('a shard', () => {
  test('is the whole design if none is named, whatever the variables say', () => {
    expect(shardOf(undefined, kubernetes)).toEqual({ index: 1, of: 1 });
  });

  test('is the i-th of n', () => {
    expect(shardOf('2/8', kubernetes)).toEqual({ index: 2, of: 8 });
    for (const none of ['3/2', '0/2', '1', 'Auto', '1/0', '-1/2']) {
      expect(refused(none)).toMatch(
        /^--shard: expected i\/n with i from 1 to n, such as 2\/8, or auto, found/,
      );
    }
  });
});

describe('--shard auto', () => {
  test('counts the tasks of a Slurm array from its first index, in its steps', () => {
    expect(auto(slurm(1))).toEqual({ index: 1, of: 8 });
    expect(auto(slurm(8))).toEqual({ index: 8, of: 8 });
    expect(auto(slurm(0, 0))).toEqual({ index: 1, of: 8 });
    expect(auto(slurm(7, 0))).toEqual({ index: 8, of: 8 });
    // sbatch --array=10-25:5
    expect([10, 15, 20, 25].map((task) => auto(slurm(task, 10, 4, 5)).index)).toEqual([1, 2, 3, 4]);
    expect(auto(slurm(3, 3, 1))).toEqual({ index: 1, of: 1 });
  });

  test('counts the completions of an Indexed Job and the children of an array job of AWS Batch from 0', () => {
    expect(auto(kubernetes)).toEqual({ index: 1, of: 8 });
    expect(auto({ ...kubernetes, JOB_COMPLETION_INDEX: '7' })).toEqual({ index: 8, of: 8 });
    expect(auto(batch)).toEqual({ index: 8, of: 8 });
  });

  test('is refused outside a job array, with the names of the variables', () => {
    expect(refused('auto', { COMPLETIONS: '8', SLURM_JOB_ID: '1' })).toBe(
      '--shard: expected i/n, or auto within a job array, which sets one of SLURM_ARRAY_TASK_ID, ' +
        'JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX, found auto, and none of them set',
    );
  });

  test('is refused within two at once, because each may name another part', () => {
    expect(refused('auto', { ...slurm(1), ...kubernetes })).toBe(
      '--shard: expected i/n, or auto within one job array, found auto, and SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX set',
    );
  });

  test('is refused if the manifest of a Job does not set the number of completions, and says that it must', () => {
    expect(refused('auto', { JOB_COMPLETION_INDEX: '0' })).toMatch(
      /^COMPLETIONS: expected the number of completions, .* the manifest of the Job has to set it under env, found nothing$/,
    );
  });

  test('is refused if the variables are not numbers, all of them at once', () => {
    const said = refused('auto', {
      ...slurm(1),
      SLURM_ARRAY_TASK_ID: '-1',
      SLURM_ARRAY_TASK_COUNT: '0',
      SLURM_ARRAY_TASK_MIN: '',
      SLURM_ARRAY_TASK_STEP: '1.5',
    });
    expect(said.split('\n').map((line) => line.split(':')[0])).toEqual([
      ...['SLURM_ARRAY_TASK_ID', 'SLURM_ARRAY_TASK_COUNT', 'SLURM_ARRAY_TASK_MIN', 'SLURM_ARRAY_TASK_STEP'],
    ]);
  });

  test('is refused if an index is not one of the array’s', () => {
    expect(refused('auto', { ...kubernetes, JOB_COMPLETION_INDEX: '8' })).toBe(
      'JOB_COMPLETION_INDEX: expected one of 8 indices from 0 in steps of 1, found 8',
    );
    expect(refused('auto', slurm(11, 10, 4, 5))).toMatch(/^SLURM_ARRAY_TASK_ID: .*, found 11$/);
    expect(refused('auto', slurm(9))).toMatch(/^SLURM_ARRAY_TASK_ID: .*, found 9$/);
  });

  test('is refused in every task of an array whose indices are a list, for which Slurm says that the step is 1', () => {
    // sbatch --array=1-3,9
    const uneven = { ...slurm(1, 1, 4), SLURM_ARRAY_TASK_MAX: '9' };
    expect(refused('auto', uneven)).toBe(
      'SLURM_ARRAY_TASK_MAX: expected 4, the last of 4 indices from 1 in steps of 1, found 9',
    );
  });
});
