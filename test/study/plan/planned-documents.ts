import { scenarioOf } from '../../../src/scenario/scenario.ts';
import { parseTarget } from '../../../src/scenario/target.ts';
import { contradiction } from '../../../src/study/plan/bound.ts';
import { defaultCost } from '../../../src/study/plan/cost.ts';
import { planProblem } from '../../../src/study/plan/plan-problem.ts';

export type Document = Record<string, unknown>;

const hot = { kind: 'classes', classes: [{ pages: 1000, writesPerSecond: 50 }] };

/** A scenario of a guest of 1 GiB with a thousand hot pages, and what is said otherwise. */
export function document(guest: Document, link: Document, others: Document = {}): Document {
  return { guest: { pages: 262144, program: hot, ...guest }, link, ...others };
}

export function problemOf(written: Document, target: string, keep: readonly string[] = []) {
  return planProblem({
    scenario: scenarioOf(written, { name: 'x' }),
    machine: undefined,
    target: parseTarget(target)!,
    cost: defaultCost,
    keep: new Set(keep),
  });
}

export function boundOf(written: Document, target: string, keep: readonly string[] = []) {
  return contradiction(problemOf(written, target, keep));
}
