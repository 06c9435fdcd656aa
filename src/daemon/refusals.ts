import type { FastifyError } from 'fastify';
import { Failure, Refusal } from '../platform/failure.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { NotAdmitted } from './admission.ts';
import { NoSuchGuest } from './guests.ts';
import type { RefusalReason } from './metrics.ts';

/** An answer that says no. */
export interface Answer {
  readonly status: number;
  readonly body: { readonly error: string; readonly problems?: readonly Problem[] };
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

/** What is answered instead; undefined: nobody thought of this, and it is our fault. */
export function refusalOf(cause: unknown): Answer | undefined {
  if (cause instanceof BadRequest) return { status: cause.status, body: { error: cause.message } };
  if (cause instanceof UsageError) return usage(cause.problems);
  if (cause instanceof NotAdmitted) {
    const status = { link: 422, cpu: 422, queue: 429, draining: 503, memory: 409 }[cause.reason];
    return { status, body: { error: cause.message }, refused: cause.reason };
  }
  if (cause instanceof NoSuchGuest) return { status: 404, body: { error: cause.message } };
  if (cause instanceof Refusal) return { status: 409, body: { error: cause.message }, refused: 'cpu' };
  if (cause instanceof Failure) return { status: 409, body: { error: cause.message } };
  const { validation, validationContext, statusCode, message } = cause as FastifyError;
  if (validation) return usage(validation.map((one) => problemOf(one, validationContext ?? 'body')));
  // What the server itself objects to: no JSON, too long, of another type.
  if (statusCode !== undefined && statusCode < 500) return { status: statusCode, body: { error: message } };
  return undefined;
}

function usage(problems: readonly Problem[]): Answer {
  const error = new UsageError(problems).message;
  return { status: 400, body: { error, problems } };
}

type Validation = NonNullable<FastifyError['validation']>[number] & { readonly data?: unknown };

function problemOf(
  { keyword, instancePath, params, message = '', data }: Validation,
  context: string,
): Problem {
  const path = [context, ...instancePath.split('/').slice(1)].join('.');
  const { missingProperty, additionalProperty, allowedValues } = params as Record<string, unknown>;
  switch (keyword) {
    case 'required':
      return { path: `${path}.${missingProperty}`, expected: 'a value', found: 'nothing' };
    case 'additionalProperties':
      return { path: `${path}.${additionalProperty}`, expected: 'no such key', found: 'one' };
    case 'enum':
      return { path, expected: (allowedValues as string[]).join(' or '), found: shown(data) };
    default:
      return { path, expected: message.replace(/^must (be|have|match) /, ''), found: shown(data) };
  }
}
