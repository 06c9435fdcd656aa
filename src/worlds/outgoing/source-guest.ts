import type { WriteRates } from '../../core/migration/heat.ts';
import type { MemoryComparison, Outage, Owner } from '../../core/migration/migration-result.ts';
import type { PageSet } from '../../core/migration/pages.ts';
import type { Nanos } from '../../core/units.ts';
import type { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/connect.ts';
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

/** How it went for a guest that runs at the destination. */
export interface Arrival {
  readonly outage: Outage | null;
  /** Its memory against that of a guest which never moved. */
  readonly continued: MemoryComparison;
  readonly notes: readonly string[];
}

/**
 * What an outgoing migration asks of its guest, whatever kind it is. Nobody here reads its memory: pages are asked of
 * its sender, by their numbers. So a guest may be one that tells which pages are dirty only when it has looked itself,
 * and whose pages come out of somebody else's stream. Requests come one after the other.
 */
export interface SourceGuest {
  readonly guest: Pick<GuestSpec, 'name' | 'pages' | 'pageSizeBytes'>;
  readonly sender: SenderThread;
  /** Those whose accounts and slices belong to the migration: the guest's and its sender's, as far as there are any. */
  readonly processors: readonly Processors[];
  /** What a reader of the record must know of this guest. */
  readonly notes: readonly string[];
  /** Tells the destination of it. @throws Failure nobody there, or refused */
  connect(to: DestinationThere, migration: string): Promise<unknown>;
  /** How often its program writes each page. @throws Failure that is not known */
  writeRates(): WriteRates;
  /** The migration starts: from now on every page is dirty until it is sent, and its client's gaps count. */
  track(): Promise<void>;
  /**
   * @param take take their marks off, so that each mark is reported exactly once
   * @returns every page that is dirty; a guest that cannot tell may return more, and never fewer
   */
  dirtyPages(take: boolean): Promise<DirtyPages>;
  /** Takes the marks of these pages off. */
  clear(pages: PageSet): Promise<void>;
  /** What has to be done while it still runs, just before it is paused. May be abandoned. */
  preparePause(): Promise<void>;
  /**
   * Comes to its end by itself, and is waited for before `resume`.
   * @param since told as soon as the guest may be paused, and since when; so it is known even if the rest fails
   */
  pause(since: (atNs: Nanos) => void): Promise<PausedGuest>;
  /** What it is beyond its pages, once it is paused; null: nothing, or its sender sees to it. */
  deviceState(): Promise<Buffer | null>;
  /** SHA-256 of all its memory, in hexadecimal. It is paused. @throws Failure it cannot be read */
  hash(): Promise<string>;
  /** It was paused for the migration, and goes on here. */
  resume(): Promise<void>;
  /** It runs at the destination: whatever is still to be done with it there, and what its client saw. */
  arrived(): Promise<Arrival>;
  /** It is not at the destination: what its client saw. */
  outage(): Promise<Outage | null>;
  /** The migration has ended, and the guest is this one's. Asked again when `nobody` has been settled. */
  release(owner: Owner): Promise<void>;
}
