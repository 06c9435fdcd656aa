import { migrateVirtually } from '../src/run/ensemble.ts';
import { cellsOf, scenarioOf, seeded } from '../src/scenario/scenario.ts';
import { parseTarget } from '../src/scenario/target.ts';
import { defaultCost } from '../src/study/plan/cost.ts';
import { planProblem } from '../src/study/plan/plan-problem.ts';
import { plan } from '../src/study/plan/planned.ts';
import { isKept } from '../src/study/plan/promise-certificate.ts';
import { leastShare } from '../src/study/statistics/kept-share.ts';
import { type PlannedScenario, plannedScenarios } from './planned-scenarios.ts';

/**
 * Whether plans keep what they promise, and are not merely generous: each is carried out 200 times with seeds of which it
 * knows nothing. `node build/bench/plan-main.js [PART]` plans those whose name begins so.
 */
const RUNS = 200;
const FIRST_SEED = 2 ** 45;

const rows = [];
for (const scenario of plannedScenarios.filter(({ name }) => name.startsWith(process.argv[2] ?? ''))) {
  rows.push(await checked(scenario));
  console.log(JSON.stringify(rows.at(-1)));
}
const feasible = rows.filter((row) => row.feasible);
console.log(
  [
    `${feasible.length} of ${rows.length} scenarios have a plan`,
    `${feasible.filter((row) => row.isKept).length} keep it: 95 % lower bound of ${RUNS} new seeds ≥ q − 0.02`,
    `${feasible.filter((row) => row.isTight).length} miss it with a tenth less of any reservation`,
    `slowest: ${Math.max(...rows.map(({ seconds }) => seconds)).toFixed(1)} s`,
  ].join('\n'),
);

async function checked({ name, document, target: text }: PlannedScenario) {
  const scenario = scenarioOf(document, { name, file: 'bench' });
  const target = parseTarget(text)!;
  const began = performance.now();
  const problem = planProblem({ scenario, machine: undefined, target, cost: defaultCost, keep: new Set() });
  const answer = await plan(problem, null, 1);
  const seconds = (performance.now() - began) / 1000;
  if (!answer.feasible)
    return { name, target: text, seconds, feasible: false as const, reason: answer.reason };
  const cell = cellsOf(scenario, answer.settings)[0]!;
  const trials = Array.from({ length: RUNS }, (_, index) => {
    const { outcome, downtimeNs, totalNs } = migrateVirtually(seeded(cell, FIRST_SEED + index));
    return outcome === 'completed' ? { downtimeNs, totalNs } : null;
  });
  const shares = target.map((clause) => {
    const kept = trials.filter((trial) => isKept(trial, [clause])).length;
    return { kept, least: leastShare(kept, RUNS, 0.05), q: clause.probability };
  });
  return {
    name,
    target: text,
    seconds,
    feasible: true as const,
    chosen: answer.settings.slice(0, 2).map(({ value }) => value),
    policy: answer.choice.policy.map(({ value }) => value),
    kept: shares.map(({ kept }) => kept),
    certified: answer.certificate.runs,
    isKept: shares.every(({ least, q }) => least >= q - 0.02),
    isTight: answer.sensitivity.every(({ missed }) => missed),
    cuts: answer.sensitivity.map(({ cut, kept, runs }) => `${cut} ${kept}/${runs}`),
  };
}
