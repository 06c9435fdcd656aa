import type { Bytes, BytesPerSecond, Nanos } from '../../units.ts';
import type { RoundRecord } from '../migration-result.ts';

/** What a stop rule may look at, whenever it is asked: between the batches of a round and at its end. */
export interface Progress {
  /** The rounds that have ended. */
  readonly rounds: readonly RoundRecord[];
  /** Whether a round has just ended; otherwise some of its pages are still to be sent. */
  readonly roundEnded: boolean;
  /** What would have to be sent if the guest stopped now: dirty pages, deferred ones among them. */
  readonly pendingPages: number;
  readonly pendingBytes: Bytes;
  /** Since the migration started. */
  readonly elapsedNs: Nanos;
  /** Sent so far. */
  readonly sentBytes: Bytes;
  /** The bandwidth seen in the current round so far, or in the last one when it has just ended. */
  readonly bandwidthBytesPerSecond: BytesPerSecond;
  /** The size of the guest's memory. */
  readonly guestBytes: Bytes;
}

/** Stop the guest and finish; or give up and let it run on at the source. `undefined`: go on. */
export interface Verdict {
  readonly decision: 'stop' | 'give up';
  readonly reason: string;
}

/** A rule may remember what it saw; it is made anew for every migration. */
export type StopRule = (progress: Progress) => Verdict | undefined;
