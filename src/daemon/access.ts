import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { shown } from '../platform/problem.ts';
import { bearerKey, isSameKey } from './api-key.ts';
import { BadRequest } from './refusals.ts';
import { isCrossSite, isJson, misdirected } from './request-rules.ts';

/** Who is let in, as the configuration says at this moment. */
export interface AccessSettings {
  /** What changing calls must bring; undefined: none is asked for. */
  readonly apiKey: string | undefined;
  /** Names under which the daemon answers besides addresses and localhost. */
  readonly apiHosts: readonly string[];
}

/** Sees to it that nobody is served whose browser was tricked into asking, neither with something to read nor with a change. */
export function guard(server: FastifyInstance, settings: () => AccessSettings): void {
  server.addHook('onRequest', async ({ headers: { host } }) => {
    const why = misdirected(host, settings().apiHosts);
    if (why !== undefined) throw new BadRequest(421, why);
  });
  server.addHook('onRequest', async ({ method, headers }) => {
    if (isReading(method) || !isCrossSite(headers)) return;
    throw new BadRequest(403, 'a page of another origin may change nothing here');
  });
}

/** Whether a method changes nothing. */
export function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Of a call that changes something. */
export async function insistOnKey(
  { headers: { authorization } }: FastifyRequest,
  reply: FastifyReply,
  key: string | undefined,
): Promise<void> {
  if (key === undefined) return;
  const given = bearerKey(authorization);
  if (given !== undefined && isSameKey(given, key)) return;
  const error = given === undefined ? '' : ', error="invalid_token"';
  reply.header('www-authenticate', `Bearer realm="switchover"${error}`);
  if (given !== undefined) throw new BadRequest(401, 'not the key of this daemon');
  throw new BadRequest(401, 'changing calls need the header "authorization: Bearer KEY"');
}

/** Of a call that changes something: browsers send any other one for whatever page asks them to, also without a body. */
export async function insistOnJson({ method, headers }: FastifyRequest): Promise<void> {
  const { 'content-type': type, 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  if (isJson(type)) return;
  // Before a DELETE for a page of another site a browser asks, and is not allowed it.
  if (method === 'DELETE' && type === undefined && length === '0' && coding === undefined) return;
  throw new BadRequest(
    415,
    `expected the header "content-type: application/json", also without a body; got ${shown(type)}`,
  );
}
