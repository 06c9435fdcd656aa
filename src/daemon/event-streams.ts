import type { FastifyReply, FastifyRequest } from 'fastify';
import { asText, EventHistory } from './event-history.ts';
import type { HostEvent } from './events.ts';
import { TooMany } from './turns.ts';

/** So that proxies and watchers see that somebody is there: whoever hears nothing for longer knows that nobody is. */
const ALIVE_EVERY_MS = 5_000;
/** Beyond that, whoever watches more is refused. */
const MOST_WATCHERS = 2_000;
/** A watcher that reads nothing while so much is waiting for it is let go: it may come again. */
const MOST_UNREAD_BYTES = 1024 * 1024;

interface Watcher {
  /** Watches only this migration or experiment. */
  readonly id: string | undefined;
  write(text: Buffer): void;
  end(): void;
}

/** Server-sent events (WHATWG HTML, section 9.2) for all who watch. An event is written as text once, however many they are. */
export class EventStreams {
  readonly #watchers = new Set<Watcher>();
  readonly #history = new EventHistory();
  readonly #most: number;

  constructor({ most = MOST_WATCHERS } = {}) {
    this.#most = most;
    setInterval(() => this.#alive(), ALIVE_EVERY_MS).unref();
  }

  get count(): number {
    return this.#watchers.size;
  }

  /**
   * Until the watcher leaves. Who says with `Last-Event-ID` what it heard last hears what came after that; if that is not
   * known any more, it is told that it has missed something.
   * @param first what a new watcher is told at once; after that, only of its changes
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
      end: () => raw.end(),
    };
    watcher.write(Buffer.from('retry: 1000\n\n'));
    this.#begin(watcher, request.headers['last-event-id'], first);
    this.#watchers.add(watcher);
    request.raw.once('close', () => this.#watchers.delete(watcher));
    return reply;
  }

  tell(event: HostEvent): void {
    const { about, text } = this.#history.add(event);
    for (const { id, write } of this.#watchers) if (id === undefined || id === about) write(text);
  }

  /** Nothing happens any more. */
  end(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #begin({ id, write }: Watcher, last: string | string[] | undefined, first: object | undefined): void {
    const missed = last === undefined ? undefined : this.#history.since(String(last));
    if (missed) {
      for (const { about, text } of missed) if (id === undefined || id === about) write(text);
      return;
    }
    const { latestId } = this.#history;
    if (first) write(asText('first', { value: first }, latestId));
    else if (last !== undefined) write(asText('missed', {}, latestId));
    else write(Buffer.from(`id: ${latestId}\n\n`));
  }

  #alive(): void {
    const text = asText('alive', {});
    for (const watcher of this.#watchers) watcher.write(text);
  }
}
