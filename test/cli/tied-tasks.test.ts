import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readWorkload } from '../../src/cli/schedule-workload.ts';
import { schedule } from '../../src/core/cpu/schedule.ts';
import { analysedSet, readTaskSet } from '../../src/scenario/task-sets/read-task-set.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-tied-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string): string {
  const file = join(folder, 'set');
  writeFileSync(file, text);
  return file;
}

function of(text: string) {
  const workload = readWorkload(written(text));
  const { slices, responses } = schedule(workload);
  const homesOf = (name: string) =>
    [...new Set(slices.filter((slice) => slice.name === name).map(({ processor }) => processor))].toSorted();
  return { workload, responses, homesOf };
}

const tied = (scheduler: string, more = '') =>
  `{ scheduler: ${scheduler}, processors: 2, horizon: 20${more}, tasks: [
    { name: a, wcet: 1, period: 5, processor: 1 }, { name: b, wcet: 2, period: 5, processor: 1 }, { name: c, wcet: 3, period: 5 }] }`;

describe('a task that is tied to a processor', () => {
  test.each(['rm', 'dm', 'cbs-hard', 'cbs-soft', 'fair', 'rt', 'eevdf'])('stays there under %s', (rule) => {
    const { homesOf } = of(tied(rule, rule === 'fair' ? ', quantum: 1' : ''));
    expect([homesOf('a'), homesOf('b')]).toEqual([[1], [1]]);
  });

  test('goes before those that are not, whatever they ask for', () => {
    const { homesOf, responses } = of(
      '{ scheduler: rm, processors: 2, horizon: 20, tasks: [{ name: big, wcet: 4, period: 5 }, { name: small, wcet: 2, period: 5, processor: 0 }] }',
    );
    expect([homesOf('big'), homesOf('small')]).toEqual([[1], [0]]);
    expect(responses.big).toMatchObject({ missed: 0 });
  });

  test('is refused where that one has no room, whatever others have', () => {
    const task = (name: string) => `{ name: ${name}, wcet: 3, period: 5, processor: 1 }`;
    expect(() => of(`{ processors: 2, horizon: 9, tasks: [${task('a')}, ${task('b')}] }`)).toThrow(
      'processor 1 has not 0.60 left; at most (2 of every 5) would',
    );
  });

  test('is refused under SCHED_DEADLINE, as the kernel refuses it, and so is what only its other classes have', () => {
    expect(() => of(tied('deadline'))).toThrow(/tasks\.0\.processor: expected nothing, as SCHED_DEADLINE/);
    expect(() => of('{ horizon: 9, tasks: [{ name: a, wcet: 1, period: 5, nice: 3 }] }')).toThrow(
      /tasks\.0\.nice: expected nothing under cbs-hard.*found 3/,
    );
  });
});

describe('a task set of other tools on several processors', () => {
  const rtApp = (cpus: readonly (readonly number[])[], policy = '"policy": "SCHED_FIFO"') =>
    `{ "global": { "duration": 1 }, "tasks": { ${cpus
      .map(
        (each, index) =>
          `"t${index}": { ${policy}, "cpus": ${JSON.stringify(each)}, "run": 6000, "timer": { "ref": "x", "period": 10000 } }`,
      )
      .join()} } }`;

  test('of rt-app runs where its tasks are tied to', () => {
    const { homesOf, responses } = of(rtApp([[0], [1]]));
    expect([homesOf('t0'), homesOf('t1')]).toEqual([[0], [1]]);
    expect(responses.t1).toMatchObject({ worst: 6_000, missed: 0 });
    expect(of(rtApp([[1], [1]])).responses.t1!.missed).toBeGreaterThan(0);
  });

  test('of rt-app is refused where schedule would not do as it says', () => {
    expect(() => of(rtApp([[0, 1]]))).toThrow(/tasks\.t0\.cpus: expected one processor.*found "0 and 1"/);
    const deadline = '"policy": "SCHED_DEADLINE", "dl-runtime": 7000, "dl-period": 10000';
    expect(() => of(rtApp([[1]], deadline))).toThrow(/t0\.cpus: expected nothing, as SCHED_DEADLINE/);
  });

  const simso = (scheduler: string) =>
    `<simulation duration="200000000" cycles_per_ms="1000000"><sched className="simso.schedulers.${scheduler}"/>
    <processors><processor name="one" id="1"/><processor name="two" id="2"/></processors><tasks>
    <task name="A" period="100" WCET="97"/><task name="B" period="10" WCET="4"/><task name="C" period="20" WCET="9"/></tasks></simulation>`;

  test('of SimSo migrates between them, unless its scheduler’s name says that it is partitioned', () => {
    for (const [scheduler, kernels] of [
      ['EDF', 'deadline'],
      ['RM', 'rt'],
    ] as const) {
      const { workload, homesOf } = of(simso(scheduler));
      expect(workload.scheduler).toBe(kernels);
      expect(homesOf('A'), scheduler).toEqual([0, 1]);
      const { homesOf: partitioned, responses } = of(simso(`P_${scheduler}`));
      expect(partitioned('A'), scheduler).toEqual([0]);
      expect(partitioned('B')).toEqual(partitioned('C'));
      // Nothing is kept back for others, as it is by Linux.
      expect(responses.A, scheduler).toMatchObject({ worst: 97_000, missed: 0 });
    }
  });

  test('is not analysed as one of a guest that has one', () => {
    const analysed = (text: string) => analysedSet(readTaskSet(written(text)), 'set');
    expect(() => analysed(simso('EDF'))).toThrow(
      'set: processors: expected one, of which the guest’s reservation is, found 2',
    );
    expect(() => analysed(rtApp([[0], [1]]))).toThrow('found 2');
    expect(analysed(rtApp([[1], [1]])).tasks).toHaveLength(2);
  });
});

test('what is wrong with rt-app’s JSON is said with what was found, at its place', () => {
  const wrong = '{ "tasks": { "a": { "policy": "SCHED_FIFO", "run": "soon", "timer": { "period": -1 } } } }';
  expect(() => of(wrong)).toThrow(/tasks\.a\.run: expected how long it runs, in µs, found "soon"/);
  expect(() => of(wrong)).toThrow(/tasks\.a\.timer: expected a timer with a period.*"period":-1/);
  expect(() => of('{ /* two\nlines */ "tasks": { "a": { "run": 1, }, ] }')).toThrow(/set:2:/);
});
