import { InvariantViolated } from '../invariants.ts';
import type { Nanos } from '../units.ts';
import type { Outcome } from './migration-result.ts';
import type { DirtyPages, SendBatch } from './round-pages.ts';
import type { HandoverReached, Step, StepResult, StepResultOf } from './steps.ts';

/** A part of the migration: yields steps, is told what came of each, ends with a result. */
export type Migration<Result> = Generator<Step, Result, StepResult>;

/** What a world answers to a step that it has carried out. */
const answers = {
  observe: ['dirty', 'watched'],
  learn: ['learned'],
  track: ['dirty'],
  send: ['sent'],
  clear: ['done'],
  wait: ['done'],
  harvest: ['dirty'],
  stop: ['dirty'],
  device: ['done'],
  'hand over': ['handed over'],
  abort: ['aborted'],
} as const satisfies Record<Step['kind'], readonly StepResult['kind'][]>;

/** A world could not carry out a step, or was told not to. */
export class StepFailed extends Error {
  readonly outcome: Outcome;
  readonly pausedSince: Nanos | undefined;
  readonly handover: HandoverReached;

  constructor({ why, outcome, pausedSince, handover = {} }: StepResultOf<'failed'>) {
    super(why);
    this.outcome = outcome ?? 'failed';
    this.pausedSince = pausedSince;
    this.handover = handover;
  }
}

type AnswerTo<S extends Step<SendBatch>> = StepResultOf<(typeof answers)[S['kind']][number], DirtyPages>;

/**
 * Yields a step and insists on the answer that belongs to it.
 * @throws StepFailed the world could not carry it out; to give up is always possible
 * @throws InvariantViolated the answer belongs to another step
 */
export function* ask<S extends Step<SendBatch>>(step: S): Migration<AnswerTo<S>> {
  // Asked in counts only is a world that has answered in counts.
  const answer = yield step as Step;
  const expected: readonly StepResult['kind'][] = answers[step.kind];
  if (expected.includes(answer.kind)) return answer as AnswerTo<S>;
  if (answer.kind === 'failed' && step.kind !== 'abort') throw new StepFailed(answer);
  throw new InvariantViolated('world: each step has its own answer', {
    step: step.kind,
    answer: answer.kind,
    expected: expected.join(' or '),
  });
}
