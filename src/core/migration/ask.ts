import type { Seen, SeenOf, Step } from './steps.ts';

/** A part of the migration: yields steps, is told what was seen, ends with a result. */
export type Migration<Result> = Generator<Step, Result, Seen>;

/** A world could not carry out a step. */
export class StepFailed extends Error {}

/** The link allows nothing more. */
export class Revoked extends Error {}

/** Yields a step and insists on the answer that belongs to it. @throws StepFailed, Revoked the world could not. */
export function* ask<K extends Seen['kind']>(step: Step, kind: K): Migration<SeenOf<K>> {
  const seen = yield step;
  if (seen.kind === kind) return seen as SeenOf<K>;
  if (seen.kind === 'failed') throw new StepFailed(seen.why);
  if (seen.kind === 'revoked') throw new Revoked(seen.why);
  throw new TypeError(`the world answered '${seen.kind}' to '${step.kind}'; expected '${kind}'`);
}
