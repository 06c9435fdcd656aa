import type { WriteRates } from '../../core/migration/heat.ts';
import type { Outage, Owner } from '../../core/migration/migration-result.ts';
import type { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import type { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { SenderThread } from '../../transport/sender-thread.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { type GuestSpec, writeRatesOf } from '../../workload/programs.ts';
import type { Completion, DirtyPages, PausedGuest, SourceGuest } from '../outgoing/source-guest.ts';
import type { GuestInstance } from './guest-instance.ts';
import type { ThreadsSenderMemory } from './threads-sender-worker.ts';

export interface ThreadsSourceOptions extends Pick<MigrationSpec, 'plan' | 'cpu'> {
  /** Those on which the sender is scheduled. */
  readonly processors: Processors;
  /** How late the sender's timers are made on the average, for an experiment. */
  readonly timerNoiseMeanNs?: Nanos;
  /** Called with the final owner, before the guest may be claimed again. */
  readonly released?: (owner: Owner) => void;
}

/**
 * A guest in a thread of this process: it writes shared memory, and marks what it has written. Its whole state lies in
 * its pages.
 */
export class ThreadsSourceGuest implements SourceGuest {
  readonly guest: GuestSpec;
  readonly sender: SenderThread;
  readonly processors: readonly Processors[];
  readonly notes = [];
  protected readonly instance: GuestInstance;
  readonly #released: (owner: Owner) => void;
  #paused: PausedGuest | undefined;

  /** @param instance claimed for the migration */
  constructor(
    instance: GuestInstance,
    { plan, cpu, processors, timerNoiseMeanNs: meanNs = 0, released = () => {} }: ThreadsSourceOptions,
  ) {
    this.#released = released;
    const { guest } = instance.definition;
    this.instance = instance;
    this.guest = guest;
    this.processors = [...new Set([instance.processors, processors])];
    const memory: ThreadsSenderMemory = {
      memory: instance.segments,
      dirty: instance.log.buffer,
      timerNoise: { meanNs, seed: guest.seed },
    };
    this.sender = new SenderThread(
      'worlds/threads/threads-sender-worker',
      { guest, plan, cpu },
      processors.threadDataOf('sender'),
      memory,
    );
  }

  connect(to: DestinationThere, migration: string): Promise<unknown> {
    const { definition, heartbeats } = this.instance;
    return this.sender.ask('greet', to, { migration, ...definition, heartbeats });
  }

  writeRates(): WriteRates {
    return writeRatesOf(this.guest);
  }

  async track(): Promise<void> {
    this.instance.log.markAll();
  }

  /** Of a paused guest it has been known since then. */
  async dirtyPages(take: boolean): Promise<DirtyPages> {
    const { log } = this.instance;
    const dirty = take ? log.take() : log.read();
    return { dirty, atNs: this.#paused?.atNs ?? clockNs() };
  }

  async clear(pages: PageSet): Promise<void> {
    pages.each((page) => this.instance.log.clear(page));
  }

  async pause(since: (atNs: Nanos) => void): Promise<PausedGuest> {
    const { instance } = this;
    const staysPaused = instance.isPaused;
    const askedAtNs = clockNs();
    since(askedAtNs);
    const { atNs } = (await instance.pause()) ?? { atNs: askedAtNs };
    this.#paused = { atNs, guestTimeNs: instance.guestTimeNs, staysPaused };
    return this.#paused;
  }

  hash(): Promise<string> {
    return this.instance.hash();
  }

  async resume(): Promise<void> {
    if (!this.#paused?.staysPaused) await this.instance.run();
  }

  /** It stays at the destination. */
  async completed(): Promise<Completion> {
    await this.sender.ask('finish');
    return { outage: null, continued: 'not-checked', notes: [] };
  }

  /** It has no client that measures. */
  async outage(): Promise<Outage | null> {
    return null;
  }

  /** One that is not here any more is freed, and one that is may be migrated again. */
  async release(owner: Owner): Promise<void> {
    this.#released(owner);
    if (owner === 'nobody') this.instance.becomesUnsettled();
    else if (owner === 'destination') await this.instance.end();
    else this.instance.release();
  }
}
