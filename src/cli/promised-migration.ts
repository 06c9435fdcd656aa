import type { MigrationRecord } from '../core/migration/record.ts';
import { writtenThroughout } from '../observe/written-throughout.ts';
import { plannedMachine, withoutCapacity } from '../scenario/planned-machine.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { byPath, withSettings } from '../scenario/settings.ts';
import type { Target } from '../scenario/target.ts';
import type { FeasiblePlan, PlanAnswer } from '../study/plan/answer.ts';
import { defaultCost } from '../study/plan/cost.ts';
import { heldPromise } from '../study/plan/held-promise.ts';
import { planProblem } from '../study/plan/plan-problem.ts';
import { plan } from '../study/plan/planned.ts';
import { anyGuest, type FoundGuest, withRecordedGuest } from './found-guest.ts';
import { watchOf } from './recording.ts';

const DEFAULT_REHEARSAL = '5s';
const SEED = 1;

interface Promised {
  readonly qmp: string;
  readonly target: Target;
  readonly rehearse: string | undefined;
  readonly interrupted: AbortSignal;
}

/**
 * The least of the link with which a machine that runs keeps a target, by a rehearsal of it.
 * @returns null: it was interrupted
 * @throws UsageError what is wrong with the scenario, before the machine is touched
 * @throws Failure it cannot be rehearsed
 */
export function planForMachine(
  scenario: Scenario,
  { qmp, target, rehearse = DEFAULT_REHEARSAL, interrupted }: Promised,
): Promise<PlanAnswer | null> {
  const problemOf = (found: FoundGuest) =>
    planProblem({
      scenario: plannedMachine(scenario, found),
      ...{ machine: undefined, target, cost: defaultCost, keep: new Set<string>() },
    });
  problemOf(anyGuest);
  return withRecordedGuest(
    watchOf({ qmp, for: rehearse }),
    undefined,
    async (found) => (interrupted.aborted ? null : plan(problemOf(found), null, SEED)),
    writtenThroughout,
  );
}

/** What the machine is moved by: the scenario with what was chosen. */
export function chosenForMachine(scenario: Scenario, { settings }: FeasiblePlan): Scenario {
  const own = withoutCapacity(scenario);
  return { ...own, base: withSettings(own.base, settings) };
}

/** What was promised, on what grounds, and what it came to. Its keys are a contract. */
export function promiseJson({ target, settings, certificate }: FeasiblePlan, record: MigrationRecord) {
  return {
    target,
    chosen: byPath(settings),
    certificate,
    ...heldPromise(target, record),
  };
}
