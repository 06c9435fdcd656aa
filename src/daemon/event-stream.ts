import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Events } from './events.ts';

/** So that proxies and watchers see that somebody is there. */
const COMMENT_EVERY_MS = 15_000;
/** A watcher that reads nothing while so much is waiting for it is let go: it may come again. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * Server-sent events (WHATWG HTML, section 9.2) until the watcher leaves.
 * @param first what is told at once; after that, only of its changes
 */
export function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  events: Events,
  first?: { readonly id: string },
): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const tell = (kind: string, value: unknown) => {
    raw.write(`event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`);
    if (raw.writableLength > MOST_UNREAD_BYTES) raw.destroy();
  };
  raw.write('retry: 1000\n\n');
  if (first !== undefined) tell('first', { value: first });
  const stop = events.watch((event) => {
    const { kind, ...rest } = event;
    const isOfIt = 'id' in event && event.id === first?.id && kind !== 'pulse';
    if (!first || isOfIt) tell(kind, rest);
  });
  const comment = setInterval(() => raw.write(':\n\n'), COMMENT_EVERY_MS);
  request.raw.once('close', () => {
    clearInterval(comment);
    stop();
  });
  return reply;
}
