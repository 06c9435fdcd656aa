import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CpuPlan } from '../../src/core/cpu/cpu-plan.ts';
import { type Problem, UsageError } from '../../src/platform/problem.ts';
import { loadExperiment } from '../../src/scenario/scenario.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-cpu-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The CPU plan of a scenario that says only this about processors. */
function cpuOf(text: string): CpuPlan {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(
    file,
    `guest: { pages: 100, program: { kind: classes, classes: [{ pages: 10, writesPerSecond: 1 }] }${guestPart(text)} }
link: { rate: 50Mbit/s }
${text.replace(/^guest\.reservation:.*\n?/m, '')}`,
  );
  return loadExperiment(file).cells[0]!.cpu;
}

function guestPart(text: string): string {
  const reservation = /^guest\.reservation: (.*)$/m.exec(text)?.[1];
  return reservation ? `, reservation: ${reservation}` : '';
}

function problemsOf(text: string): readonly Problem[] {
  try {
    cpuOf(text);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems;
    throw cause;
  }
  return [];
}

const half = '{ budget: 5ms, period: 10ms }';

describe('a scenario', () => {
  test('reserves nothing unless it says so', () => {
    expect(cpuOf('')).toEqual({
      scheduler: 'none',
      guestScheduler: null,
      processors: 1,
      guest: null,
      sender: null,
      cpuPerPageNs: 0,
      cpuPerHandoverNs: 0,
      hogs: 0,
      reclaim: false,
    });
  });

  test('with a reservation is scheduled by the hard constant bandwidth server unless it says otherwise', () => {
    expect(cpuOf(`sender: { reservation: ${half} }`)).toMatchObject({
      scheduler: 'cbs-hard',
      guest: null,
      sender: { budgetNs: 5e6, periodNs: 10e6 },
    });
    expect(cpuOf(`sender: { reservation: ${half} }\ncpu: { scheduler: cbs-soft }`).scheduler).toBe(
      'cbs-soft',
    );
  });

  test('adds up its antagonists, and knows what a page costs', () => {
    const text =
      'sender: { cpuPerPage: 50us }\nbackground: [{ kind: cpu-hog, count: 2 }, { kind: cpu-hog }]\ncpu: { scheduler: fair }';
    expect(cpuOf(text)).toMatchObject({ hogs: 3, cpuPerPageNs: 50_000, scheduler: 'fair' });
  });
});

describe('what cannot be kept is refused before anything starts', () => {
  test.each([
    [
      'a budget above its period',
      'sender: { reservation: { budget: 11ms, period: 10ms } }',
      'sender.reservation.budget',
      /at most the period/,
    ],
    [
      'no budget',
      'sender: { reservation: { budget: 0, period: 10ms } }',
      'sender.reservation.budget',
      /above 0/,
    ],
    [
      'a reservation that nobody would keep',
      `cpu: { scheduler: fair }\nsender: { reservation: ${half} }`,
      'cpu.scheduler',
      /keeps reservations/,
    ],
    [
      'a period that the kernel does not take',
      'cpu: { scheduler: deadline }\nsender: { reservation: { budget: 20us, period: 50us } }',
      'sender.reservation.period',
      /100us to 4.19s/,
    ],
    [
      'a period too long for the kernel',
      'cpu: { scheduler: deadline }\nsender: { reservation: { budget: 1s, period: 5s } }',
      'sender.reservation.period',
      /100us to 4.19s/,
    ],
    [
      'a budget too small for the kernel',
      'cpu: { scheduler: deadline }\nsender: { reservation: { budget: 1us, period: 1ms } }',
      'sender.reservation.budget',
      /1024ns/,
    ],
    [
      'reclaiming where nobody reclaims',
      `cpu: { reclaim: true }\nsender: { reservation: ${half} }`,
      'cpu.reclaim',
      /deadline/,
    ],
    ['an antagonist that there is not', 'background: [{ kind: cat }]', 'background.0.kind', /cpu-hog/],
    [
      'a scheduler that there is not',
      'cpu: { scheduler: cfs }',
      'cpu.scheduler',
      /none, fair, cbs-soft, cbs-hard, deadline/,
    ],
  ])('%s', (_, text, path, expected) => {
    const problem = problemsOf(text).find((one) => one.path === path);
    expect(problem?.expected).toMatch(expected);
  });

  test('a sum of shares above the processors: who does not fit, what was asked, what would fit', () => {
    const text = `guest.reservation: { budget: 7ms, period: 10ms }\nsender: { reservation: ${half} }`;
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem!.path).toBe('sender.reservation');
    expect(problem!.expected).toMatch(/1\.20 of 1 processor/);
    expect(problem!.expected).toMatch(/at most \(3ms of every 10ms\)/);
    expect(problemsOf(`${text}\ncpu: { processors: 2 }`)).toEqual([]);
  });

  test('what the kernel would refuse: beside what, and out of what', () => {
    const both = (reservation: string, more = '') =>
      problemsOf(
        `guest.reservation: ${reservation}\nsender: { reservation: ${reservation} }\ncpu: { scheduler: deadline${more} }`,
      );
    const [problem, ...others] = both('{ budget: 90ms, period: 100ms }');
    expect(others).toEqual([]);
    expect(problem!.path).toBe('sender.reservation');
    expect(problem!.expected).toMatch(
      /90\.0 %, beside 90\.0 % reserved already, is more than the 95\.0 % of a processor .*at most 5\.000\d*ms of every 100ms/,
    );
    expect(both('{ budget: 45ms, period: 100ms }')).toEqual([]);
    expect(both('{ budget: 90ms, period: 100ms }', ', processors: 2')).toEqual([]);
    expect(both('{ budget: 96ms, period: 100ms }', ', processors: 2')).toHaveLength(1);
  });

  test('all at once', () => {
    const text =
      'guest.reservation: { budget: 20ms, period: 10ms }\nsender: { reservation: { budget: 30ms, period: 10ms } }';
    expect(problemsOf(text).map(({ path }) => path)).toEqual([
      'guest.reservation.budget',
      'sender.reservation.budget',
    ]);
  });
});
