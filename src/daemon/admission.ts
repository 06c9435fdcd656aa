import Bottleneck from 'bottleneck';
import type { BytesPerSecond } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';

export type JobKind = 'migration' | 'experiment';

/** Something that wants to run. */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  /** 0 goes first, 9 last. */
  readonly priority: number;
  /** How long it may wait; then it is dropped. */
  readonly queueTimeoutMs: number | undefined;
  /** What it reserves of a configured link. */
  readonly link: { readonly name: string; readonly bytesPerSecond: BytesPerSecond } | undefined;
  run(): Promise<void>;
  /** It will not run. */
  dropped(why: string): void;
}

interface Limits {
  readonly runningMigrations: number;
  readonly runningExperiments: number;
  readonly waiting: number;
}

/** Why a job is not taken. */
export class NotAdmitted extends Error {
  readonly reason: 'link' | 'queue' | 'draining' | 'memory';

  constructor(reason: NotAdmitted['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whoever is told how the queues and links do. */
interface Listener {
  /** A job's turn has come. */
  waited(kind: JobKind, ns: number): void;
  /** More or less is reserved of a link, or waits for it. */
  linksChanged(): void;
}

interface Waiting {
  readonly job: Job;
  readonly sinceNs: number;
  readonly timeout: NodeJS.Timeout | undefined;
}

/**
 * Who runs: so many of a kind at once; and on each link no more than its capacity, which is the weight of the jobs
 * that may run there at once. Whoever does not fit waits, by priority and then in turn.
 */
export class Admission {
  readonly #kinds: Readonly<Record<JobKind, Bottleneck>>;
  readonly #links = new Map<string, Bottleneck>();
  readonly #reserved = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Map<string, { readonly job: Job; readonly done: Promise<void> }>();
  readonly #listener: Listener;
  #most: number;
  #draining = false;

  constructor(limits: Limits, links: ReadonlyMap<string, BytesPerSecond>, listener: Listener) {
    this.#kinds = {
      migration: new Bottleneck({ maxConcurrent: limits.runningMigrations }),
      experiment: new Bottleneck({ maxConcurrent: limits.runningExperiments }),
    };
    this.#most = limits.waiting;
    this.#listener = listener;
    for (const [name, capacity] of links) this.#links.set(name, new Bottleneck({ maxConcurrent: capacity }));
  }

  /** After a reload. What runs or waits on a link stays on it. */
  change(limits: Limits, links: ReadonlyMap<string, BytesPerSecond>): void {
    this.#most = limits.waiting;
    this.#kinds.migration.updateSettings({ maxConcurrent: limits.runningMigrations });
    this.#kinds.experiment.updateSettings({ maxConcurrent: limits.runningExperiments });
    for (const [name, capacity] of links) {
      const link = this.#links.get(name);
      if (link) link.updateSettings({ maxConcurrent: capacity });
      else this.#links.set(name, new Bottleneck({ maxConcurrent: capacity }));
    }
    for (const name of this.#links.keys()) if (!links.has(name)) this.#links.delete(name);
  }

  /** @throws NotAdmitted it can never run, or too many wait already */
  add(job: Job, capacity: BytesPerSecond | undefined): void {
    if (this.#draining) throw new NotAdmitted('draining', 'this daemon is about to end');
    if (job.link && capacity !== undefined && job.link.bytesPerSecond > capacity) {
      throw new NotAdmitted('link', `more than the whole of link '${job.link.name}'`);
    }
    if (this.#waiting.size >= this.#most) throw new NotAdmitted('queue', `${this.#most} wait already`);
    const timeout =
      job.queueTimeoutMs === undefined
        ? undefined
        : setTimeout(() => this.drop(job.id, 'it has waited for as long as it may'), job.queueTimeoutMs);
    this.#waiting.set(job.id, { job, sinceNs: clockNs(), timeout });
    const { priority, link } = job;
    if (link) this.#listener.linksChanged();
    const start = () => this.#kinds[job.kind].schedule({ priority }, () => this.#start(job.id));
    const limiter = link && this.#links.get(link.name);
    if (!link || !limiter) void start();
    else
      void limiter.schedule({ priority, weight: link.bytesPerSecond }, async () => {
        if (!this.#waiting.has(job.id)) return;
        this.#reserve(link.name, link.bytesPerSecond);
        try {
          await start();
        } finally {
          this.#reserve(link.name, -link.bytesPerSecond);
        }
      });
  }

  /** @returns whether it was waiting; what runs is for its owner to end */
  drop(id: string, why: string): boolean {
    const waiting = this.#waiting.get(id);
    if (!waiting) return false;
    this.#waiting.delete(id);
    clearTimeout(waiting.timeout);
    if (waiting.job.link) this.#listener.linksChanged();
    waiting.job.dropped(why);
    return true;
  }

  /** Drops what waits and takes nothing more. @returns when nothing runs */
  async drain(): Promise<void> {
    this.#draining = true;
    for (const id of [...this.#waiting.keys()]) this.drop(id, 'this daemon is about to end');
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  queues(): readonly { kind: JobKind; waiting: number; running: number; oldestWaitNs: number }[] {
    const now = clockNs();
    return (['migration', 'experiment'] as const).map((kind) => {
      const waiting = [...this.#waiting.values()].filter(({ job }) => job.kind === kind);
      return {
        kind,
        waiting: waiting.length,
        running: [...this.#running.values()].filter(({ job }) => job.kind === kind).length,
        oldestWaitNs: Math.max(0, ...waiting.map(({ sinceNs }) => now - sinceNs)),
      };
    });
  }

  reservedOn(link: string): BytesPerSecond {
    return this.#reserved.get(link) ?? 0;
  }

  waitingOn(link: string): number {
    return [...this.#waiting.values()].filter(({ job }) => job.link?.name === link).length;
  }

  /** A job that was dropped meanwhile has left its place in the limiter behind, and gives it back here. */
  async #start(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timeout);
    if (waiting.job.link) this.#listener.linksChanged();
    this.#listener.waited(waiting.job.kind, clockNs() - waiting.sinceNs);
    const done = waiting.job.run();
    this.#running.set(id, { job: waiting.job, done });
    try {
      await done;
    } finally {
      this.#running.delete(id);
    }
  }

  #reserve(link: string, bytesPerSecond: number): void {
    this.#reserved.set(link, this.reservedOn(link) + bytesPerSecond);
    this.#listener.linksChanged();
  }
}
