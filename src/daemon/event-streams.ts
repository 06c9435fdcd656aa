import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HostEvent } from './events.ts';
import { TooMany } from './turns.ts';

/** So that proxies and watchers see that somebody is there. */
const COMMENT_EVERY_MS = 15_000;
/** Beyond that, whoever watches more is refused. */
const MOST_WATCHERS = 2_000;
/** A watcher that reads nothing while so much is waiting for it is let go: it may come again. */
const MOST_UNREAD_BYTES = 1024 * 1024;

interface Watcher {
  /** Watches only this migration or experiment. */
  readonly id: string | undefined;
  write(text: Buffer): void;
}

/** Server-sent events (WHATWG HTML, section 9.2) for all who watch. An event is written as text once, however many they are. */
export class EventStreams {
  readonly #watchers = new Set<Watcher>();
  readonly #most: number;

  constructor({ most = MOST_WATCHERS } = {}) {
    this.#most = most;
    setInterval(() => this.#comment(), COMMENT_EVERY_MS).unref();
  }

  get count(): number {
    return this.#watchers.size;
  }

  /**
   * Until the watcher leaves.
   * @param first what is told at once; after that, only of its changes
   * @throws TooMany
   */
  open(request: FastifyRequest, reply: FastifyReply, first?: { readonly id: string }): FastifyReply {
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    };
    if (request.method === 'HEAD') return reply.headers(headers).send();
    if (this.count >= this.#most) throw new TooMany(`${this.#most} watch already`);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, headers);
    const watcher: Watcher = {
      id: first?.id,
      write(text) {
        raw.write(text);
        if (raw.writableLength > MOST_UNREAD_BYTES) raw.destroy();
      },
    };
    watcher.write(Buffer.from('retry: 1000\n\n'));
    if (first) watcher.write(asText('first', { value: first }));
    this.#watchers.add(watcher);
    request.raw.once('close', () => this.#watchers.delete(watcher));
    return reply;
  }

  tell(event: HostEvent): void {
    if (this.count === 0) return;
    const { kind, ...rest } = event;
    const text = asText(kind, rest);
    const about = 'id' in event && kind !== 'pulse' ? event.id : undefined;
    for (const { id, write } of this.#watchers) if (id === undefined || id === about) write(text);
  }

  #comment(): void {
    const text = Buffer.from(':\n\n');
    for (const watcher of this.#watchers) watcher.write(text);
  }
}

function asText(kind: string, data: object): Buffer {
  return Buffer.from(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`);
}
