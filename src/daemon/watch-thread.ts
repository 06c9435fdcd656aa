import { Worker } from 'node:worker_threads';
import { entry } from '../platform/entry.ts';
import { reasonOf } from '../platform/failure.ts';
import type { WatchedSocket } from './configuration.ts';
import type { Events, HostNews } from './events.ts';
import type { Log } from './log.ts';
import type { MetricsFeed } from './metrics-feed.ts';
import { watchLogEntry } from './watch-log.ts';
import type { WatchedMachineView } from './watch-schemas.ts';
import type { WatchNews } from './watch-worker.ts';
import { newlyWatched } from './watched-view.ts';

/** How long after it has died a thread gets a successor. */
const AGAIN_AFTER_MS = 1_000;

interface WatchParts {
  readonly events: Events;
  readonly metrics: Pick<MetricsFeed, 'watchedEnded'>;
  readonly log: Log;
}

/**
 * The machines of others whose migrations are followed, in a thread of its own: to predict takes longer than a step of a
 * migration may wait. There is none as long as nothing is watched.
 */
export class WatchThread {
  readonly #parts: WatchParts;
  #sockets: readonly WatchedSocket[] = [];
  readonly #machines = new Map<string, WatchedMachineView>();
  #worker: Worker | undefined;
  #isOver = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Follows these from now on, and no others. What is known of those that were followed before stays. */
  follow(sockets: readonly WatchedSocket[]): void {
    this.#sockets = sockets;
    for (const [name, { socket }] of this.#machines) {
      if (sockets.some((one) => one.name === name && one.socket === socket)) continue;
      this.#machines.delete(name);
      this.#parts.events.publish({ kind: 'unwatched', name });
    }
    for (const socket of sockets) if (!this.#machines.has(socket.name)) this.#put(newlyWatched(socket));
    if (!this.#worker && sockets.length > 0) this.#begin();
    else this.#worker?.postMessage(sockets);
  }

  /** What those who begin to watch must know. */
  retold(): readonly HostNews[] {
    return [...this.#machines.values()].map((value) => ({ kind: 'followed', value }));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker?.terminate();
  }

  #begin(): void {
    const worker = new Worker(entry('daemon/watch-worker'));
    this.#worker = worker;
    worker.on('message', (news: WatchNews) => this.#hear(news));
    worker.on('error', (error) =>
      this.#parts.log(`the thread that watches machines has died: ${reasonOf(error)}`),
    );
    worker.once('exit', () => {
      if (this.#isOver) return;
      setTimeout(() => !this.#isOver && this.#begin(), AGAIN_AFTER_MS).unref();
    });
    worker.postMessage(this.#sockets);
  }

  #hear({ event, machine }: WatchNews): void {
    // It may have been sent before the thread heard that this one is not to be watched any more.
    if (this.#machines.get(machine.name)?.socket !== machine.socket) return;
    this.#put(machine);
    if (event.event === 'ended') this.#parts.metrics.watchedEnded(machine.name, event);
    const entry = watchLogEntry(machine.name, event);
    if (entry) this.#parts.log(...entry);
  }

  #put(value: WatchedMachineView): void {
    this.#machines.set(value.name, value);
    this.#parts.events.publish({ kind: 'followed', value });
  }
}
