import { afterAll, describe, expect, test } from 'vitest';
import type { Choice } from '../../../src/study/plan/choice.ts';
import { Enough } from '../../../src/study/plan/enough.ts';
import { missesOf, Sample } from '../../../src/study/plan/sample.ts';
import { Trials } from '../../../src/study/plan/trials.ts';
import { problemOf } from './planned-documents.ts';

const guest = {
  pages: 256,
  program: {
    kind: 'classes',
    classes: [
      { pages: 6, writesPerSecond: 20 },
      { pages: 100, writesPerSecond: 0.3 },
    ],
  },
  reservation: { budget: '4ms', period: '10ms' },
};
const document = {
  guest,
  sender: { cpuPerPage: '800us', reservation: { budget: '5ms', period: '10ms' } },
  link: { capacity: '12.5Mbit/s', rate: '6.25Mbit/s' },
};
const target = 'downtime<=221ms@0.95, total<=3s@0.95';

/** Enough of everything for that. More of b leaves more to a stop, as its rule stops at what takes 221 ms at b. */
const plenty: Choice = {
  policy: [{ path: 'migration.stop', value: { rule: 'downtime', limit: '221ms' } }],
  rate: 3.3e6 / 8,
  stopRate: 12.5e6 / 8,
  sender: { budgetNs: 3e6, periodNs: 10e6 },
  guest: { budgetNs: 4e6, periodNs: 10e6 },
};
const sender = (budgetNs: number) => ({ budgetNs, periodNs: 10e6 });
const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
const trials = new Trials(problemOf(document, target).subject, undefined);

/** Twice three reservations, a dozen steps each, all 20 migrations a step; and what is asked before and between. */
const WORK_MAX = (6 * 12 + 6) * 20;

afterAll(() => trials.end());

async function enoughFrom(less: Partial<Choice>, asked = target) {
  const problem = problemOf(document, asked);
  const sample = new Sample(problem, trials, seeds);
  const began = trials.count;
  const found = await new Enough(problem, sample, () => false).of({ ...plenty, ...less });
  const work = trials.count - began;
  const missed = found && missesOf(await sample.margins(found), problem.target);
  return { found, work, missed };
}

describe('what is short is raised', () => {
  test.each<[string, keyof Choice, Partial<Choice>, string?]>([
    ['the sender, for the downtime', 'sender', { sender: sender(0.8e6) }],
    ['the sender, for the total', 'sender', { stopRate: null, sender: sender(0.4e6) }, 'total<=3s@0.95'],
    ['b, for the total', 'rate', { rate: 2e6 / 8 }],
    ['b_d, for the downtime', 'stopRate', { stopRate: 1.2e6 / 8 }],
  ])('%s, and nothing else', async (_, path, less, asked) => {
    const { found, missed } = await enoughFrom(less, asked);
    expect(found).toEqual({ ...plenty, ...less, [path]: found![path] });
    expect(Math.max(...missed!)).toBe(0);
  });

  test('b_d and the sender together, where neither helps alone and more of b leaves more to the stop', async () => {
    const { found, missed, work } = await enoughFrom({ stopRate: 2.5e6 / 8, sender: sender(0.746e6) });
    expect(found).toMatchObject({ rate: plenty.rate, stopRate: 12.5e6 / 8, sender: sender(6e6) });
    expect(Math.max(...missed!)).toBe(0);
    expect(work).toBeLessThan(WORK_MAX);
  });

  test('up to what there is, and with no more work than the bound, where nothing helps', async () => {
    const { found, work } = await enoughFrom({}, 'downtime<=1ms@0.95, total<=3s@0.95');
    expect(found).toBeNull();
    expect(work).toBeLessThan(WORK_MAX);
  });
});
