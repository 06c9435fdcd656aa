import type { WriteRates } from '../../core/migration/heat.ts';
import type { MemoryComparison, Outage, Owner } from '../../core/migration/migration-result.ts';
import type { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import type { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import type { SenderThread } from '../../transport/sender-thread.ts';
import type { GuestSpec } from '../../workload/programs.ts';

/** Pages that are dirty, and when they were, by the host's clock. */
export interface DirtyPages {
  readonly dirty: PageSet;
  readonly atNs: Nanos;
}

export interface PausedGuest {
  /** Since when, by the host's clock. */
  readonly atNs: Nanos;
  /** Its own clock then; 0: it takes it along in its memory or its device state. */
  readonly guestTimeNs: Nanos;
  /** Its user had paused it before: it stays paused, wherever it will be. */
  readonly staysPaused: boolean;
}

/** How it went for a guest that has moved. */
export interface Completion {
  readonly outage: Outage | null;
  /** Its memory against that of a guest which never moved. */
  readonly continued: MemoryComparison;
  readonly notes: readonly string[];
}

/**
 * What an outgoing migration asks of its guest, whatever kind it is. It never reads the guest's memory: it asks the
 * sender for pages, by their numbers, and the guest for dirty pages. So a guest may be one whose pages come out of a
 * stream that somebody else writes, and that tells what is dirty at its own syncs
 * (docs/decisions/036-one-source-end.md). Requests come one after the other.
 */
export interface SourceGuest {
  readonly guest: Pick<GuestSpec, 'name' | 'pages' | 'pageSizeBytes'>;
  readonly sender: SenderThread;
  /** Those on which the guest and its sender are scheduled, as far as they are. */
  readonly processors: readonly Processors[];
  /** What a reader of the record must know of this guest. */
  readonly notes: readonly string[];
  /** Announces it to the destination. @throws Failure no destination there, or it refuses */
  connect(to: DestinationThere, migration: string): Promise<unknown>;
  /** How often its program writes each page. @throws Failure that is not known */
  writeRates(): WriteRates;
  /** The migration starts: from now on every page is dirty until it is sent, and its client's gaps count. */
  track(): Promise<void>;
  /**
   * @param take whether to take their marks off, so that each mark is reported exactly once
   * @returns every page that is dirty; a guest that cannot tell exactly returns more, never fewer
   */
  dirtyPages(take: boolean): Promise<DirtyPages>;
  /** Clears the dirty marks of these pages. */
  clear(pages: PageSet): Promise<void>;
  /** Called just before it is paused. The migration may be interrupted meanwhile. */
  preparePause?(): Promise<void>;
  /**
   * Is never abandoned, so it must not wait for ever.
   * @param since told, as soon as the guest may be paused, since when; so that is known even if the rest fails
   */
  pause(since: (atNs: Nanos) => void): Promise<PausedGuest>;
  /** Its device state, once it is paused. Not there: it has none, or its sender sends it by itself. */
  deviceState?(): Promise<Buffer>;
  /** SHA-256 of all its memory, in hexadecimal. It is paused. @throws Failure it cannot be read */
  hash(): Promise<string>;
  /** The migration has failed after the pause: the guest goes on at the source as it was before. */
  resume(): Promise<void>;
  /** The migration has completed: does what is still to be done with the guest at its destination. */
  completed(): Promise<Completion>;
  /** The migration has not completed: what the guest's client saw. */
  outage(): Promise<Outage | null>;
  /** The migration is closed, and `owner` owns the guest. Called again once `nobody` has been settled. */
  release(owner: Owner): Promise<void>;
}
