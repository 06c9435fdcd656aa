import { describe, expect, test } from 'vitest';
import { plannedScenarios } from '../../../bench/planned-scenarios.ts';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { cellsOf, scenarioOf, seeded } from '../../../src/scenario/scenario.ts';
import { parseTarget } from '../../../src/scenario/target.ts';
import { defaultCost } from '../../../src/study/plan/cost.ts';
import { planProblem } from '../../../src/study/plan/plan-problem.ts';
import { plan } from '../../../src/study/plan/planned.ts';
import { isKept } from '../../../src/study/plan/promise-certificate.ts';
import { leastShare } from '../../../src/study/statistics/kept-share.ts';

const RUNS = 200;

/** The rest of the forty is for `npm run bench:plan`. */
const names = ['slides 200ms', 'small 70ms', 'redis 300ms'];

describe.each(plannedScenarios.filter(({ name }) => names.includes(name)))('$name, $target', (planned) => {
  test('is kept with 200 new seeds, and missed with a tenth less of any reservation', async () => {
    const scenario = scenarioOf(planned.document, { name: planned.name, file: 'bench' });
    const target = parseTarget(planned.target)!;
    const asked = { machine: undefined, target, cost: defaultCost, keep: new Set<string>() };
    const answer = await plan(planProblem({ scenario, ...asked }), null, 1);
    if (!answer.feasible) throw new Error(answer.reason);
    const cell = cellsOf(scenario, answer.settings)[0]!;
    const trials = Array.from({ length: RUNS }, (_, index) => {
      const { outcome, downtimeNs, totalNs } = migrateVirtually(seeded(cell, 2 ** 45 + index));
      return outcome === 'completed' ? { downtimeNs, totalNs } : null;
    });
    for (const clause of target) {
      const kept = trials.filter((trial) => isKept(trial, [clause])).length;
      expect(leastShare(kept, RUNS, 0.05)).toBeGreaterThanOrEqual(clause.probability - 0.02);
    }
    expect(answer.sensitivity.length).toBeGreaterThanOrEqual(2);
    expect(answer.sensitivity.filter(({ missed }) => !missed)).toEqual([]);
  });
});
