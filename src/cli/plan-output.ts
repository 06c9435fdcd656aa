import { dirname, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Scenario } from '../scenario/scenario.ts';
import { byPath, isObject, withSettings } from '../scenario/settings.ts';
import type { FeasiblePlan, PlanAnswer } from '../study/plan/answer.ts';
import type { DeployedSettings } from '../study/plan/deployed-settings.ts';

/** The answer's keys are a contract. */
export function planJson(answer: PlanAnswer, deployed: DeployedSettings | null) {
  const { feasible, target, tasks, cost, migrations, leftOut } = answer;
  const about = { cost, migrations, leftOut };
  if (!answer.feasible) {
    const { reason, bound } = answer;
    return {
      feasible,
      target,
      tasks,
      reason,
      bound,
      chosen: null,
      certificate: null,
      sensitivity: [],
      settings: null,
      ...about,
    };
  }
  const { certificate, sensitivity, downtimeNs, totalNs, front, choiceCost } = answer;
  return {
    ...{ feasible, target, tasks },
    chosen: byPath(answer.settings),
    chosenCost: choiceCost,
    expected: { downtimeNs, totalNs },
    ...{ certificate, sensitivity, settings: deployed },
    front: front.map(({ choice: { rate, stopRate, sender, guest }, totalNs, cost }) => ({
      rateBytesPerSecond: rate,
      stopRateBytesPerSecond: stopRate ?? rate,
      ...{ sender, guest, totalNs, cost },
    })),
    ...about,
  };
}

/** The scenario with the choice in it, and the target that it keeps; a recording is named from the new file. */
export function chosenScenario(
  { base, file }: Scenario,
  { settings, target }: FeasiblePlan,
  out: string,
): string {
  const kept = target
    .map(({ metric, limitNs, probability }) => `${metric}<=${limitNs}ns@${probability}`)
    .join(', ');
  const { guest } = base;
  const recording = isObject(guest) && isObject(guest.program) ? guest.program.file : undefined;
  const moved =
    typeof recording === 'string' && file !== undefined
      ? [
          {
            path: 'guest.program.file',
            value: relative(dirname(resolve(out)), resolve(dirname(file), recording)),
          },
        ]
      : [];
  return stringify(withSettings(base, [...settings, { path: 'target', value: kept }, ...moved]));
}
