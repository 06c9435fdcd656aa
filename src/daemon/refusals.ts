import type { FastifyError } from 'fastify';
import { Failure, Refusal } from '../platform/failure.ts';
import { type Problem, UsageError } from '../platform/problem.ts';
import type { Bound } from '../study/plan/bound.ts';
import { NotAdmitted } from './admission.ts';
import type { RefusalReason } from './metrics.ts';
import { TargetOutOfReach } from './target-out-of-reach.ts';
import { TooMany } from './turns.ts';

/** An answer that says no. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly error: string;
    readonly problems?: readonly Problem[];
    /** What proves that a target cannot be kept; null: nothing was found that does. */
    readonly bound?: Bound | null;
  };
  /** If it counts as a refused admission. */
  readonly refused?: RefusalReason;
}

/** Something is wrong with a request that is nobody's fault but the caller's. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the host has refused. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.body.error);
    this.answer = answer;
  }
}

/** There is no such guest, link, migration or experiment here. */
export class NotFound extends Failure {}

/** What is answered instead; undefined: nobody thought of this, and it is our fault. */
export function refusalOf(cause: unknown): Answer | undefined {
  if (cause instanceof Refused) return cause.answer;
  if (cause instanceof TooMany) return { status: 429, body: { error: cause.message } };
  if (cause instanceof BadRequest) return { status: cause.status, body: { error: cause.message } };
  if (cause instanceof UsageError)
    return { status: 400, body: { error: cause.message, problems: cause.problems } };
  if (cause instanceof NotAdmitted) {
    const status = { link: 422, cpu: 422, target: 422, queue: 429, draining: 503, disk: 503, memory: 409 }[
      cause.reason
    ];
    const proof = cause instanceof TargetOutOfReach ? { bound: cause.bound } : {};
    return { status, body: { error: cause.message, ...proof }, refused: cause.reason };
  }
  if (cause instanceof NotFound) return { status: 404, body: { error: cause.message } };
  if (cause instanceof Refusal) return { status: 409, body: { error: cause.message }, refused: 'cpu' };
  if (cause instanceof Failure) return { status: 409, body: { error: cause.message } };
  const { statusCode, message } = cause as FastifyError;
  // What the server itself objects to: no JSON, too long, of another type.
  if (statusCode !== undefined && statusCode < 500) return { status: statusCode, body: { error: message } };
  return undefined;
}
