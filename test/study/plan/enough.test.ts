import { afterAll, describe, expect, test } from 'vitest';
import type { Choice } from '../../../src/study/plan/choice.ts';
import { Enough } from '../../../src/study/plan/enough.ts';
import type { PlanProblem } from '../../../src/study/plan/plan-problem.ts';
import { Sample } from '../../../src/study/plan/sample.ts';
import { Trials } from '../../../src/study/plan/trials.ts';
import { problemOf } from './planned-documents.ts';

/** With all that there is of all: 2 s and a few stops of 50 ms. */
function problem(target: string, keep: readonly string[] = []): PlanProblem {
  const classes = [
    { pages: 50, writesPerSecond: 20 },
    { pages: 800, writesPerSecond: 0.3 },
  ];
  const guest = {
    pages: 2048,
    program: { kind: 'classes', classes },
    reservation: { budget: '4ms', period: '10ms' },
  };
  const sender = { cpuPerPage: '100us', reservation: { budget: '5ms', period: '10ms' } };
  return problemOf({ guest, sender, link: { capacity: '100Mbit/s', rate: '50Mbit/s' } }, target, keep);
}

/** Enough of everything for 221 ms and 3 s. */
const plenty: Choice = {
  policy: [{ path: 'migration.stop', value: { rule: 'downtime', limit: '221ms' } }],
  rate: 25e6 / 8,
  stopRate: 100e6 / 8,
  sender: { budgetNs: 2.5e6, periodNs: 10e6 },
  guest: { budgetNs: 4e6, periodNs: 10e6 },
};
const seeds = Array.from({ length: 60 }, (_, index) => index + 1);
const trials: Trials[] = [];

afterAll(async () => {
  for (const one of trials) await one.end();
});

async function enoughFrom(of: PlanProblem, less: Partial<Choice>) {
  const own = new Trials(of.subject, of.machine);
  trials.push(own);
  const sample = new Sample(of, own, seeds);
  const start = { ...plenty, ...less };
  const found = await new Enough(of, sample, () => false).of(start);
  const { count } = own;
  const missed = found && (await sample.margins(found)).filter((of) => of.some((margin) => margin > 1));
  return { found, count, missed: missed?.length };
}
const target = 'downtime<=221ms@0.95, total<=3s@0.95';
const sender = (budgetNs: number) => ({ budgetNs, periodNs: 10e6 });

describe('what is short is raised', () => {
  test.each<[string, string, Partial<Choice>, keyof Choice]>([
    ['the sender, for the downtime', target, { sender: sender(0.8e6) }, 'sender'],
    ['the sender, for the total', 'total<=3s@0.95', { stopRate: null, sender: sender(0.4e6) }, 'sender'],
    ['b, for the total', target, { rate: 15e6 / 8 }, 'rate'],
    ['b_d, for the downtime', target, { stopRate: 10e6 / 8 }, 'stopRate'],
  ])('%s, and nothing else', async (_, asked, less, raised) => {
    const { found, missed } = await enoughFrom(problem(asked), less);
    expect(missed).toBe(0);
    expect(found).toEqual({ ...plenty, ...less, [raised]: found![raised] });
  });

  test('b_d and the sender together, where neither helps alone and more of b leaves more to the stop', async () => {
    const less = { stopRate: 20e6 / 8, sender: sender(0.746e6) };
    const { found, count, missed } = await enoughFrom(problem(target), less);
    expect([missed, found?.rate]).toEqual([0, plenty.rate]);
    expect(count).toBeLessThan(2500);
  });

  test('up to what there is, and no further than a bound of work, where nothing helps', async () => {
    const { found, count } = await enoughFrom(problem('downtime<=1ms@0.95, total<=3s@0.95'), {});
    expect(found).toBeNull();
    expect(count).toBeLessThan(2500);
  });
});
