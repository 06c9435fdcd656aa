import type { RoundRecord } from '../core/migration/migration-result.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';

/** What is to be sent, and how fast. */
export interface Load {
  readonly pages: number;
  /** The last so many pages hold zeros when the migration starts: they cost a header. */
  readonly zeroPages: number;
  /** P. */
  readonly pageSizeBytes: Bytes;
  /** H. */
  readonly overheadBytes: Bytes;
  /** b. */
  readonly rateBytesPerSecond: BytesPerSecond;
  /** Which share of its slot a page waits for tokens before it is read and leaves; without: none, as in the paper. */
  readonly readAfterSlots?: number | undefined;
  /** The most that a stop rule sees as the bandwidth, where that sways about b; without: b. */
  readonly seenBytesPerSecond?: BytesPerSecond | undefined;
  /** How long a page of zeros takes, as a share of what a whole page does; without: H/(P + H), what its header is of one. */
  readonly zeroPageSlots?: number | undefined;
}

/** What the pages of a round take, so many of which hold zeros. */
export function durationOf(load: Load, pages: number, zeroPages: number): Nanos {
  const { pageSizeBytes, overheadBytes, rateBytesPerSecond } = load;
  const slots = pages - zeroPages * (1 - zeroSlotsOf(load));
  return (slots * (pageSizeBytes + overheadBytes) * NANOS_PER_SECOND) / rateBytesPerSecond;
}

/** How many slots a page of zeros takes. */
export function zeroSlotsOf({ zeroPageSlots, pageSizeBytes, overheadBytes }: Load): number {
  return zeroPageSlots ?? overheadBytes / (pageSizeBytes + overheadBytes);
}

/** A live round as a model predicts it. Numbers of pages are expectations, and so rarely whole. */
export type PredictedRound = Omit<RoundRecord, 'round' | 'skippedPages'>;

/** The pages dirty at some instant, as a random number. */
export interface DirtyPages {
  readonly mean: number;
  readonly deviation: number;
  /** The number that is not exceeded with probability q. */
  quantile(q: number): number;
}

/** The memory of a guest, as a model follows it from round to round. */
export interface ModelledMemory {
  /** The next round, if it is sent now. */
  predict(): PredictedRound;
  /** The pages expected to be pending at `steps` + 1 instants from the start of that round to its end. */
  pendingWithin(steps: number): Float64Array;
  /** The pages of zeros that it has not sent yet when such a share of it has passed. */
  zeroPagesLeft(share: number): number;
  /** The probability that it has no page to send. */
  nothingToSend(): number;
  /** Sends it. */
  send(): void;
  /** So much time passes in which nothing is sent. */
  wait(ns: Nanos): void;
  /** What is dirty now. */
  dirtyPages(): DirtyPages;
  /** The same, as far as chance decides it: where a program repeats itself, it is certain. */
  swayingPages(): DirtyPages;
}

/** A number of pages that is certain. */
export function certainly(pages: number): DirtyPages {
  return { mean: pages, deviation: 0, quantile: () => pages };
}
