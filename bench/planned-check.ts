import { loadavg } from 'node:os';
import type { PredictedMachine } from '../src/core/machine-costs.ts';
import { migrateVirtually } from '../src/run/ensemble.ts';
import { cellsOf, scenarioOf, seeded } from '../src/scenario/scenario.ts';
import type { Setting } from '../src/scenario/settings.ts';
import { parseTarget, type Target } from '../src/scenario/target.ts';
import type { FeasiblePlan, PlanAnswer } from '../src/study/plan/answer.ts';
import { type ReservedPath, scaled, settingsOfChoice } from '../src/study/plan/choice.ts';
import { defaultCost } from '../src/study/plan/cost.ts';
import { planProblem } from '../src/study/plan/plan-problem.ts';
import { plan } from '../src/study/plan/planned.ts';
import { isKept } from '../src/study/plan/sample.ts';
import { leastShare } from '../src/study/statistics/kept-share.ts';
import type { PlannedScenario } from './planned-scenarios.ts';

/** So many new seeds, which no plan knows of. */
export const RUNS = 200;
const FIRST_SEED = 2 ** 45;

/** What a plan took, whatever came of it. */
export interface Planned {
  readonly name: string;
  readonly target: string;
  /** Of all processors, and by the clock on the wall, at this load. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly load: number;
  readonly migrations: number;
}

/** A plan, held against new seeds. */
export interface CheckedPlan extends Planned {
  /** Why there is none; null: there is one. */
  readonly reason: string | null;
  readonly settings: readonly Setting[];
  readonly certified: number;
  readonly clauses: readonly CheckedClause[];
  readonly cuts: readonly CheckedCut[];
}

interface CheckedClause {
  readonly kept: number;
  /** With 95 % confidence. */
  readonly atLeast: number;
  readonly asked: number;
}

export interface CheckedCut {
  readonly path: ReservedPath;
  /** So many of the new seeds keep all of it. */
  readonly kept: number;
  /** Of some clause fewer than it asks for. */
  readonly isMissed: boolean;
  /** So many are not over by the time-out, which may be the plan's own. */
  readonly incomplete: number;
  /** Why no less can be reserved, whatever the target says; null: the target decides. */
  readonly floor: string | null;
}

/** The plan for it, and what it took. @param machine whose costs the plan counts */
export async function planned(
  { name, document, target }: PlannedScenario,
  machine: PredictedMachine | undefined,
): Promise<{ readonly answer: PlanAnswer; readonly took: Planned }> {
  const scenario = scenarioOf(document, { name, file: 'bench' });
  const [began, beganCpu] = [performance.now(), process.cpuUsage()];
  const asked = { target: parseTarget(target)!, cost: defaultCost, keep: new Set<string>() };
  const answer = await plan(planProblem({ scenario, machine, ...asked }), null, 1);
  const { user, system } = process.cpuUsage(beganCpu);
  const took = {
    ...{ name, target, cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - began) / 1e3 },
    ...{ load: loadavg()[0]!, migrations: answer.migrations },
  };
  return { answer, took };
}

/** Carries the plan out with new seeds, and with a tenth less of each reservation. */
export async function checked(of: PlannedScenario): Promise<CheckedPlan> {
  const { answer, took } = await planned(of, undefined);
  if (!answer.feasible) {
    return { ...took, reason: answer.reason, settings: [], certified: 0, clauses: [], cuts: [] };
  }
  const { settings, certificate, sensitivity, target } = answer;
  const trials = carriedOut(of, settings);
  const clauses = target.map((clause) => {
    const kept = trials.filter((trial) => isKept(trial, [clause])).length;
    return { kept, atLeast: leastShare(kept, RUNS, 0.05), asked: clause.probability };
  });
  const cuts = sensitivity.map(({ cut, floor }) => ({ ...cutBy(of, answer, cut), floor }));
  return { ...took, reason: null, settings, certified: certificate.runs, clauses, cuts };
}

function cutBy(of: PlannedScenario, { choice, settings, target }: FeasiblePlan, path: ReservedPath) {
  const less = settingsOfChoice(scaled(choice, path, 0.9));
  const others = settings.slice(less.length);
  const trials = carriedOut(of, [...less, ...others]);
  const keptOf = (some: Target) => trials.filter((trial) => isKept(trial, some)).length;
  const isMissed = target.some((clause) => keptOf([clause]) < clause.probability * RUNS);
  const incomplete = trials.filter((trial) => trial === null).length;
  return { path, kept: keptOf(target), isMissed, incomplete };
}

function carriedOut({ name, document }: PlannedScenario, settings: readonly Setting[]) {
  const cell = cellsOf(scenarioOf(document, { name, file: 'bench' }), settings)[0]!;
  return Array.from({ length: RUNS }, (_, index) => {
    const { outcome, downtimeNs, totalNs } = migrateVirtually(seeded(cell, FIRST_SEED + index));
    return outcome === 'completed' ? { downtimeNs, totalNs } : null;
  });
}
