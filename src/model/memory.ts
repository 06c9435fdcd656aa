import type { RoundRecord } from '../core/migration/migration-result.ts';
import type { Bytes, BytesPerSecond } from '../core/units.ts';

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
  /** What is dirty now. */
  dirtyPages(): DirtyPages;
}

/** A number of pages that is certain. */
export function certainly(pages: number): DirtyPages {
  return { mean: pages, deviation: 0, quantile: () => pages };
}
