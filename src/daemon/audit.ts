import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatAddress } from '../transport/address.ts';
import { isReading } from './access.ts';
import { bearerKey, fingerprintOf, isSameKey } from './api-key.ts';
import { LineBudget } from './line-budget.ts';

/** So many lines a second at most say that something was refused; the others are only counted. */
const MOST_REFUSED_PER_SECOND = 20;

/**
 * A line in the log for every request that would change something: who asked, from where, for what, and what came of it.
 * Before all other hooks, so that it sees what those refuse.
 */
export function audit(server: FastifyInstance, log: FastifyBaseLogger, key: () => string | undefined): void {
  const refusedLines = new LineBudget(MOST_REFUSED_PER_SECOND, (omitted) =>
    log.warn({ event: 'changes refused', omitted }, `${omitted} more changes were refused`),
  );
  server.addHook('onRequest', async (request, reply) => {
    if (isReading(request.method)) return;
    // Once the answer is out, the socket does not know any more who was there.
    const { remoteAddress: host = '', remotePort: port = 0 } = request.socket;
    const asked = { from: formatAddress({ host, port }), key: whose(request, key()), ...what(request) };
    reply.raw.once('close', () => {
      const status = reply.raw.headersSent ? reply.raw.statusCode : null;
      const isRefused = status === null || status >= 400;
      if (isRefused && !refusedLines.take()) return;
      const line = `${asked.method} ${asked.path} from ${asked.from}: ${status ?? 'not answered'}`;
      log[isRefused ? 'warn' : 'info'](
        { event: 'change', ...asked, id: subject(request, reply), status },
        line,
      );
    });
  });
}

/** Which key was brought, without saying it. */
function whose({ headers }: FastifyRequest, key: string | undefined): string {
  if (key === undefined) return 'none asked for';
  const given = bearerKey(headers.authorization);
  if (given === undefined) return 'none';
  return isSameKey(given, key) ? fingerprintOf(key) : 'wrong';
}

/** No operation takes a query, so whatever is in one is not ours to write down. */
function what({ method, url }: FastifyRequest) {
  return { method, path: url.split('?')[0]!.slice(0, 200) };
}

/** The guest, migration or experiment that it was about, or that there is now. */
function subject({ params }: FastifyRequest, reply: FastifyReply): string | undefined {
  const { id, name } = params as { readonly id?: string; readonly name?: string };
  return id ?? name ?? reply.getHeader('location')?.toString().split('/').at(-1);
}
