import { STATUS_CODES } from 'node:http';
import type { Answer } from './refusals.ts';

/** What a refusal is called (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A refusal as RFC 9457 writes it. `error`, the same as `detail`, and `problems` are what they were before, for scripts. */
export function problemDetails(status: number, body: Answer['body']) {
  return { type: 'about:blank', title: STATUS_CODES[status]!, status, detail: body.error, ...body };
}
