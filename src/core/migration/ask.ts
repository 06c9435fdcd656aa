import type { Nanos } from '../units.ts';
import type { Outcome } from './migration-result.ts';
import type { Step, StepResult, StepResultOf } from './steps.ts';

/** A part of the migration: yields steps, is told what was seen, ends with a result. */
export type Migration<Result> = Generator<Step, Result, StepResult>;

/** A world could not carry out a step, or was told not to. */
export class StepFailed extends Error {
  readonly outcome: Outcome;
  readonly pausedSince: Nanos | undefined;

  constructor({ why, outcome, pausedSince }: StepResultOf<'failed'>) {
    super(why);
    this.outcome = outcome ?? 'failed';
    this.pausedSince = pausedSince;
  }
}

/** Yields a step and insists on the answer that belongs to it. @throws StepFailed the world could not. */
export function* ask<K extends StepResult['kind']>(step: Step, kind: K): Migration<StepResultOf<K>> {
  const seen = yield step;
  if (seen.kind === kind) return seen as StepResultOf<K>;
  if (seen.kind === 'failed') throw new StepFailed(seen);
  throw new TypeError(`the world answered '${seen.kind}' to '${step.kind}'; expected '${kind}'`);
}
