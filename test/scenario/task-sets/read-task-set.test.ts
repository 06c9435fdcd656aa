import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { analysedSet, readTaskSet } from '../../../src/scenario/task-sets/read-task-set.ts';

const fixture = (name: string) => resolve(import.meta.dirname, '../../fixtures/task-sets', name);
const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(text: string, name = 'set.json'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a task set', () => {
  test('is read from YAML of our own, with the guest’s reservation', () => {
    const set = readTaskSet(fixture('controller.yaml'));
    expect(set.reservation).toEqual({ budgetNs: 4e6, periodNs: 10e6 });
    expect(analysedSet(set, 'x')).toEqual({
      policy: 'edf',
      tasks: [
        { name: 'control', workNs: 2e6, periodNs: 100e6, deadlineNs: 80e6 },
        { name: 'logger', workNs: 10e6, periodNs: 200e6, deadlineNs: 200e6 },
      ],
    });
  });

  test('is read from rt-app’s JSON, with its comments and commas', () => {
    const set = readTaskSet(fixture('controller.rt-app'));
    expect(set).toMatchObject({ format: 'rt-app', horizonNs: 5e9, reservation: null });
    expect(set.tasks.map(({ name, offsetNs }) => [name, offsetNs])).toEqual([
      ['control', 0],
      ['logger-0', 5e6],
      ['logger-1', 5e6],
    ]);
    const { policy, tasks } = analysedSet(set, 'x');
    expect(policy).toBe('fixed-priority');
    expect(tasks[0]).toEqual({ name: 'control', workNs: 2e6, periodNs: 100e6, deadlineNs: 100e6 });
    expect(tasks.map(({ name }) => name)).toEqual(['control', 'logger-0', 'logger-1']);
  });

  test('is read from SimSo’s XML, in the order of its scheduler', () => {
    const set = readTaskSet(fixture('rate-monotonic.xml'));
    expect(set).toMatchObject({ format: 'SimSo', processors: 1, horizonNs: 420e6 });
    expect(analysedSet(set, 'x')).toEqual({
      policy: 'fixed-priority',
      tasks: [
        { name: 'T1 & co', workNs: 3e6, periodNs: 7e6, deadlineNs: 7e6 },
        { name: 'TASK T2', workNs: 3e6, periodNs: 12e6, deadlineNs: 10e6 },
      ],
    });
    expect(set.tasks[0]!.offsetNs).toBe(1.5e6);
  });

  test('of rt-app under SCHED_DEADLINE has the reservations of its tasks', () => {
    const file = written(
      '{ "tasks": { "a": { "policy": "SCHED_DEADLINE", "dl-runtime": 11000, "dl-period": 100000, "run": 10000, "timer": { "ref": "unique", "period": 100000 } } }, "global": { "duration": 5 } }',
    );
    expect(readTaskSet(file).tasks).toEqual([
      {
        ...{
          name: 'a',
          workNs: 10e6,
          periodNs: 100e6,
          deadlineNs: 100e6,
          offsetNs: 0,
          policy: 'edf',
          priority: 0,
        },
        server: { budgetNs: 11e6, periodNs: 100e6, deadlineNs: 100e6 },
      },
    ]);
  });

  test('is refused with all that is wrong with it', () => {
    const refused = (text: string, name?: string) => {
      const file = written(text, name);
      try {
        analysedSet(readTaskSet(file), file);
      } catch (cause) {
        return String((cause as Error).message).replaceAll(`${folder}/`, '');
      }
      throw new Error('it was taken');
    };
    expect(
      refused('{ "tasks": { "a": { "run": 10 }, "b": { "run": 30, "timer": { "period": 20 } } } }'),
    ).toBe(
      'set.json: tasks.a.timer: expected a timer with a period, from which a job is due, found nothing\n' +
        'set.json: tasks.b.run: expected at most 20, its period or deadline, found 30',
    );
    expect(refused('{ "tasks": { "a": { "run": 10, "timer": { "period": 20 } } } }')).toMatch(
      /^set.json: policy: expected tasks that all run by SCHED_DEADLINE, or all by SCHED_FIFO or SCHED_RR, found "none"/,
    );
    expect(
      refused(
        '<simulation><sched className="simso.schedulers.LLF"/><task name="x" period="0" WCET="1"/></simulation>',
      ),
    ).toMatch(
      /set.json: sched: expected a scheduler whose name says EDF.*\nset.json: x.period: expected a time in ms above 0, found "0"/,
    );
    expect(
      refused('tasks: [{ name: a, wcet: 3ms, period: 2ms }, { name: b, wcet: 1, period: 2ms }]'),
    ).toMatch(/set.json.tasks.1.wcet: expected a time/);
  });
});
