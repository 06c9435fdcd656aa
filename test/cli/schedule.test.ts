import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { main, root } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
const file = join(folder, 'workload');
afterAll(() => rmSync(folder, { recursive: true }));

function run(workload: unknown, ...args: string[]): string {
  writeFileSync(file, typeof workload === 'string' ? workload : JSON.stringify(workload));
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  return execFileSync(process.execPath, [main, 'schedule', file, ...args], options);
}

function json(workload: unknown) {
  return JSON.parse(run(workload, '--json', '-'));
}

function refused(workload: unknown, ...args: string[]) {
  writeFileSync(file, typeof workload === 'string' ? workload : JSON.stringify(workload));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'schedule', file, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, problems: stderr.replaceAll(`${file}.`, '').trimEnd().split('\n') };
}

const S = {
  name: 'S',
  budget: 3,
  period: 8,
  jobs: [
    [3, 4],
    [13, 3],
  ],
};
const buttazzo = {
  ...{ scheduler: 'cbs-soft', processors: 1, horizon: 20, servers: [S] },
  tasks: [{ name: 'tau', wcet: 4, period: 7 }],
};

describe('schedule', () => {
  test('gives slices, finishes, deadlines and response times as one object', () => {
    expect(json(buttazzo)).toEqual({
      slices: [
        { name: 'tau', start: 0, end: 4, processor: 0 },
        { name: 'S', start: 4, end: 7, processor: 0 },
        { name: 'tau', start: 7, end: 11, processor: 0 },
        { name: 'S', start: 11, end: 12, processor: 0 },
        { name: 'S', start: 13, end: 15, processor: 0 },
        { name: 'tau', start: 15, end: 19, processor: 0 },
        { name: 'S', start: 19, end: 20, processor: 0 },
      ],
      finishes: { S: [12, 20], tau: [4, 11, 19] },
      deadlines: { S: [11, 19, 27] },
      responses: {
        S: { jobs: 2, worst: 9, mean: 8, missed: null },
        tau: { jobs: 3, worst: 5, mean: 13 / 3, missed: 0 },
      },
      inside: {},
    });
  });

  test('draws who runs when, and lists the finishes and the response times', () => {
    expect(
      run(buttazzo)
        .split('\n')
        .map((line) => line.trimEnd()),
    ).toEqual([
      'cbs-soft on 1 processor, 0 to 20',
      '',
      expect.stringMatching(/^S .*█/),
      expect.stringMatching(/^tau .*█/),
      expect.stringContaining('┬'),
      expect.stringMatching(/^ +0 .*20$/),
      '',
      'finishes  jobs  at',
      'S            2  12 20',
      'tau          3  4 11 19',
      '',
      'response      jobs     worst      mean    missed',
      'S                2         9         8         –',
      'tau              3         5       4.3         0',
      '',
    ]);
  });

  test('writes the chart as SVG, besides what it prints', () => {
    const svg = join(folder, 'chart.svg');
    expect(JSON.parse(run(buttazzo, '--json', '-', '--svg', svg)).finishes.S).toEqual([12, 20]);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg .*<\/svg>\s*$/s);
  });

  test('reads YAML as well; scheduler, processors, tasks and the order of jobs may be left to it', () => {
    const result = json(
      'horizon: 40\nservers:\n  - { name: S, budget: 4, period: 10, jobs: [[20, 3], [0, 1], [5, 4], [2, 2], [22, 2]] }',
    );
    expect(result.finishes).toEqual({ S: [1, 4, 13, 23, 31] });
  });

  test('fair takes turns of one quantum', () => {
    const servers = [
      { name: 'A', budget: 1, period: 2, jobs: [[0, 3]] },
      { name: 'B', budget: 1, period: 2, jobs: 'backlogged' },
    ];
    expect(json({ scheduler: 'fair', quantum: 2, horizon: 10, servers }).finishes).toEqual({ A: [5], B: [] });
  });

  test('eevdf shares by weight: of two that are always busy, the one of nice −5 gets three times as much', () => {
    const busy = { budget: 1, period: 1_000_000, jobs: 'backlogged' };
    const servers = [
      { name: 'A', nice: -5, ...busy },
      { name: 'B', ...busy },
    ];
    const { slices } = json({ scheduler: 'eevdf', horizon: 1_000_000, tick: 4_000, slice: 1_400, servers });
    const of = (name: string) =>
      slices.reduce(
        (sum: number, one: { name: string; start: number; end: number }) =>
          sum + (one.name === name ? one.end - one.start : 0),
        0,
      );
    expect(of('A') / of('B')).toBeGreaterThan(2.9);
    expect(of('A') / of('B')).toBeLessThan(3.2);
  });

  test('rt runs the higher priority first, and takes turns among equals of policy rr', () => {
    const busy = { budget: 1, period: 100, priority: 5, policy: 'rr' };
    const servers = [
      { name: 'A', ...busy, jobs: [[0, 30]] },
      { name: 'B', ...busy, jobs: [[0, 30]] },
      { name: 'C', ...busy, priority: 9, jobs: [[15, 3]] },
    ];
    const workload = { scheduler: 'rt', horizon: 100, tick: 1, quantum: 10, throttle: 'none', servers };
    expect(json(workload).finishes).toEqual({ A: [53], B: [63], C: [18] });
  });

  test('refuses a processor that is not there', () => {
    const servers = [{ name: 'A', budget: 1, period: 2, jobs: 'backlogged', processor: 2 }];
    const { problems } = refused({ scheduler: 'eevdf', processors: 2, horizon: 10, tick: 1, servers });
    expect(problems).toEqual(['servers.0.processor: expected one of the processors, 0 to 1, found 2']);
  });

  test('prints more slices than fit one piece', () => {
    const busy = (name: string) => ({ name, budget: 1, period: 2, jobs: 'backlogged' });
    const { slices } = json({ horizon: 25_000, servers: [busy('A'), busy('B')] });
    expect(slices).toHaveLength(25_000);
    expect(slices.at(-1)).toEqual({ name: 'B', start: 24_999, end: 25_000, processor: 0 });
  });

  test('shows the tasks of a server below it, and says what became of them', () => {
    const tasks = [
      { name: 'control', wcet: 1, period: 5, deadline: 4 },
      { name: 'logger', wcet: 2, period: 20 },
    ];
    const guest = { name: 'guest', budget: 4, period: 10, inside: { scheduler: 'rm', tasks } };
    const text = run({ horizon: 20, servers: [guest] }).split('\n');
    expect(text.filter((line) => line.includes('█')).map((line) => line.split(' ')[0])).toEqual([
      ...['guest', 'control', 'logger'],
    ]);
    expect(text.filter((line) => /^(control|logger) +\d+ +\d+ +\d+ +\d+$/.test(line))).toHaveLength(2);
    expect(text.filter((line) => line.startsWith('guest'))).toHaveLength(1);
    const { status, problems } = refused({
      ...{ horizon: 20, tasks: [{ name: 'logger', wcet: 1, period: 5 }] },
      servers: [
        { ...guest, jobs: 'backlogged' },
        { name: 'none', budget: 1, period: 2 },
      ],
    });
    const either =
      'expected "backlogged" or a list of jobs [release, work], or instead of it inside: { scheduler, tasks }';
    expect([status, problems.toSorted()]).toEqual([
      2,
      [
        `servers.0.jobs: ${either}, found "backlogged"`,
        `servers.1.jobs: ${either}, found nothing`,
        'tasks.0.name: expected a name that no other server or task has, found "logger"',
      ],
    ]);
  });

  test('refuses deadlines beyond the period, and what the scheduler has none of', () => {
    const S = { name: 'S', budget: 3, deadline: 5, period: 8, jobs: 'backlogged' };
    const tasks = [{ name: 'A', wcet: 4, period: 10, deadline: 3, offset: 1 }];
    const late = refused({ scheduler: 'deadline', horizon: 10, servers: [{ ...S, deadline: 9 }], tasks });
    expect(late.problems.toSorted()).toEqual([
      'servers.0.deadline: expected at most the period, found 9',
      'tasks.0.wcet: expected at most the deadline, found 4',
    ]);
    expect(refused({ scheduler: 'cbs-hard', horizon: 10, servers: [S] }).problems).toEqual([
      'servers.0.deadline: expected nothing, as servers under cbs-hard are due at the end of their periods (scheduler: deadline), found 5',
    ]);
    expect(refused({ scheduler: 'rm', horizon: 10, servers: [S] }).problems.join()).toContain(
      'servers: expected none under rm, where only tasks have priorities',
    );
  });

  test('says all that is wrong at once', () => {
    const { status, stdout, problems } = refused({
      ...{ scheduler: 'edf', processors: 0, horizon: 2.5, more: 1 },
      servers: [
        { name: 'A', budget: 11, period: 10, jobs: 'always' },
        { name: 'A', budget: 0, period: 10, jobs: [[-1, 2], [3, 'x'], [1]] },
      ],
      tasks: [{ name: 'A', wcet: 4, period: 3 }],
    });
    expect([status, stdout]).toEqual([2, '']);
    const whole = (least: number) => `expected a whole number from ${least} to 1000000000000000`;
    expect(problems.toSorted()).toEqual(
      [
        'scheduler: expected a scheduler: fair, eevdf, rt, rm, dm, cbs-soft, cbs-hard, deadline, cbs-linux, found "edf"; did you mean eevdf?',
        'processors: expected a whole number from 1 to 1024, found 0',
        `horizon: ${whole(1)}, found 2.5`,
        'more: expected no such key, found 1',
        'servers.0.budget: expected at most the period, found 11',
        'servers.0.jobs: expected "backlogged" or a list of jobs [release, work], found "always"',
        'servers.1.name: expected a name that no other server or task has, found "A"',
        `servers.1.budget: ${whole(1)}, found 0`,
        `servers.1.jobs.0.0: ${whole(0)}, found -1`,
        `servers.1.jobs.1.1: ${whole(1)}, found "x"`,
        'servers.1.jobs.2: expected [release, work], found [1]',
        'tasks.0.name: expected a name that no other server or task has, found "A"',
        'tasks.0.wcet: expected at most the period, found 4',
      ].toSorted(),
    );
  });

  test.each([
    [{ scheduler: 'fair', horizon: 10 ** 8 }, 10 ** 8, '999999, or a longer quantum and longer periods'],
    [{ scheduler: 'fair', horizon: 10 ** 9, processors: 2 }, 10 ** 9, '499999, or a longer quantum'],
    [{ scheduler: 'fair', horizon: 10 ** 9, quantum: 10 ** 4 }, 1, 'at most 249993, or'],
    [{ scheduler: 'cbs-soft', horizon: 9_999_999_999 }, 2, 'at most 500000, or longer periods'],
  ])('refuses a horizon with more slices than it keeps: %j', (workload, period, message) => {
    const servers = ['A', 'B'].map((name) => ({ name, budget: 1, period, jobs: 'backlogged' }));
    const { status, problems } = refused({ ...workload, servers: servers.map((one) => ({ ...one })) });
    expect([status, problems]).toEqual([2, [expect.stringContaining(message)]]);
  });

  test('takes a long horizon whose slices are long', () => {
    const long = { name: 'A', budget: 10 ** 7, period: 10 ** 8, jobs: 'backlogged' };
    const { slices } = json({ horizon: 9_999_999_999, servers: [long] });
    expect(slices).toHaveLength(100);
  });

  test('wants somebody to schedule', () => {
    expect(refused({ horizon: 10 })).toMatchObject({
      status: 2,
      problems: ['servers: expected at least one server or task, found nothing'],
    });
  });

  test('refuses under the kernel’s rule what the kernel refuses (rt-app#45)', () => {
    const file = new URL('../fixtures/field/08b-rt-app-45.json', import.meta.url);
    const { status, problems } = refused(JSON.parse(readFileSync(file, 'utf8')));
    expect([status, problems]).toEqual([
      2,
      [
        'servers: expected servers and tasks that fit the processors, found Task_0 (2900000 of every 3000000) is refused: 96.7 % is more than the 95.0 % of a processor that the kernel lets be reserved; at most 2850002 of every 3000000 would do',
      ],
    ]);
  });

  test('refuses reservations that do not fit, and says what would', () => {
    const guest = (name: string) => ({ name, budget: 6, period: 10, jobs: 'backlogged' });
    const { status, problems } = refused({
      ...{ processors: 2, horizon: 20, servers: [guest('A'), guest('B'), guest('C')] },
    });
    expect(status).toBe(2);
    expect(problems).toEqual([
      expect.stringMatching(
        /^servers: expected servers and tasks that fit the processors, found C .*1\.80 of 2/,
      ),
    ]);
  });

  test.each(['{ a: [', '"', '[1, 2]', '42', ''])('refuses %j, which is no workload', (text) => {
    expect(refused(text).status).toBe(2);
  });

  test('fails when the file cannot be read or written', () => {
    const missing = spawnSync(process.execPath, [main, 'schedule', join(folder, 'none')], {
      encoding: 'utf8',
    });
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('cannot read')]);
    const nowhere = join(folder, 'none', 'chart.svg');
    expect(refused(buttazzo, '--svg', nowhere)).toMatchObject({
      status: 1,
      problems: [expect.stringContaining('cannot write')],
    });
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe('a task set of other tools', () => {
  const rtApp = (task: object) =>
    JSON.stringify({
      tasks: { a: { run: 10000, timer: { ref: 'unique', period: 100000 }, ...task } },
      global: { duration: 5 },
    });

  test('of rt-app is read as it is: jobs at 0, 100, 200 … ms of 10 ms are done at 10, 110, 210 … (rt-app#130)', () => {
    const deadline = { policy: 'SCHED_DEADLINE', 'dl-runtime': 11000, 'dl-period': 100000 };
    const { finishes, deadlines } = json(rtApp(deadline));
    expect(finishes.a).toEqual(Array.from({ length: 50 }, (_, k) => k * 100_000 + 10_000));
    expect(deadlines.a.slice(0, 3)).toEqual([100_000, 200_000, 300_000]);
    expect(json(rtApp({ policy: 'SCHED_FIFO', priority: 20 })).finishes.a).toEqual(finishes.a);
  });

  test('of SimSo runs by its scheduler', () => {
    const task = (name: string, period: number, wcet: number) =>
      `<task name="${name}" task_type="Periodic" period="${period}" activationDate="0" deadline="${period}" WCET="${wcet}"/>`;
    const xml = (scheduler: string) =>
      `<simulation duration="20000000" cycles_per_ms="1000000"><sched className="simso.schedulers.${scheduler}"/><tasks>${task('long', 10, 5)}${task('short', 5, 2)}</tasks></simulation>`;
    expect(json(xml('RM')).finishes).toEqual({
      long: [9_000, 19_000],
      short: [2_000, 7_000, 12_000, 17_000],
    });
    // At 5 ms both are due at 10: the one that is listed first goes on.
    expect(json(xml('EDF')).finishes).toEqual({
      long: [7_000, 17_000],
      short: [2_000, 9_000, 12_000, 19_000],
    });
  });

  test('keeps deadlines below periods and delays, and counts what is late', () => {
    const shorter = {
      ...{ policy: 'SCHED_DEADLINE', delay: 3000, run: 10000 },
      ...{ 'dl-runtime': 5000, 'dl-deadline': 50000, 'dl-period': 100000 },
    };
    const { deadlines, responses } = json(rtApp(shorter));
    expect(deadlines.a.slice(0, 2)).toEqual([53_000, 153_000]);
    expect(responses.a).toMatchObject({ missed: 50 });
    const fifo = { policy: 'SCHED_FIFO', priority: 20, delay: 3000 };
    expect(json(rtApp(fifo))).toMatchObject({
      responses: { a: { jobs: 50, worst: 10_000, missed: 0 } },
    });
  });

  test('is refused where schedule or the kernel would not do as it says', () => {
    const beyond = {
      policy: 'SCHED_DEADLINE',
      'dl-runtime': 60000,
      'dl-deadline': 50000,
      'dl-period': 40000,
    };
    const { status, problems } = refused(rtApp(beyond));
    expect([status, problems.length]).toEqual([2, 2]);
    expect(problems.join()).toContain('a.dl-deadline: expected at most its dl-period, found');
    expect(refused(rtApp({})).problems.join()).toContain('expected tasks that all have a reservation');
  });
});
