import type { Bytes, BytesPerSecond, Nanos } from '../units.ts';

/** What a live round did. */
export interface RoundRecord {
  readonly round: number;
  /** |D_k|: the pages dirty when the round began. */
  readonly dirtyPages: number;
  readonly sentPages: number;
  /** |F_k|: held back for the stop. */
  readonly deferredPages: number;
  readonly skippedPages: number;
  /** Of the sent pages, those that held only zeros and cost a header. */
  readonly zeroPages: number;
  readonly bytes: Bytes;
  readonly durationNs: Nanos;
}

export interface StopRecord {
  /** |D_{K+1}|: the pages sent while the guest stood. */
  readonly pages: number;
  readonly bytes: Bytes;
  readonly durationNs: Nanos;
}

/** The downtime, cut at the instants at which one thing ended and the next began: the parts add up to it. */
export interface DowntimeParts {
  /** Sending D_{K+1} at b_d until the destination has it. */
  readonly memoryNs: Nanos;
  /** Comparing the checksums of all pages as last sent. */
  readonly stateNs: Nanos;
  /** Hashing every real byte on both sides, when asked for. */
  readonly verifyNs: Nanos;
  readonly commitNs: Nanos;
  readonly resumeNs: Nanos;
}

export type Outcome = 'completed' | 'not-converged' | 'aborted' | 'cancelled' | 'failed';
export type Owner = 'source' | 'destination' | 'nobody';

/** What the guest's client saw. */
export interface Outage {
  readonly longestGapNs: Nanos;
  readonly lostHeartbeats: number;
  readonly repeatedHeartbeats: number;
  /** Heartbeats that the guest sent later than one heartbeat period after they were due. */
  readonly lateHeartbeats: number;
}

export type Comparison = 'identical' | 'different' | 'not-checked';

export interface Verification {
  /** The destination's memory against the source's while the guest stood, by a hash of all bytes. */
  readonly memory: Comparison;
  /** The guest's memory at the end of the run against that of a guest which never moved. */
  readonly continued: Comparison;
}

export interface ServerRecord {
  readonly name: string;
  readonly budgetNs: Nanos;
  readonly periodNs: Nanos;
  readonly servedNs: Nanos;
  readonly shareErrorPerSecond: number;
  readonly missedPeriods: number;
  readonly periods: number;
  readonly longestBlackoutNs: Nanos;
}

export interface LinkRecord {
  /** null: nothing was reserved. */
  readonly reservedBytesPerSecond: BytesPerSecond | null;
  readonly depthBytes: Bytes;
  readonly sentBytes: Bytes;
  /** Over all intervals, bytes sent − (depth + rate × interval) at its largest; null without a reservation. */
  readonly worstExcessBytes: Bytes | null;
  /** How late the pacer woke at worst; beyond depth / rate, some of the rate is lost. */
  readonly longestLatenessNs: Nanos;
}

/** What the world's instruments saw of one migration. */
export interface Witness {
  readonly outage: Outage | null;
  readonly verified: Verification;
  readonly servers: readonly ServerRecord[];
  readonly link: LinkRecord;
}

/** How a migration went: what the generator returns. */
export interface Course extends Witness {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly owner: Owner;
  readonly rounds: readonly RoundRecord[];
  readonly stop: StopRecord;
  readonly downtimeNs: Nanos;
  readonly downtimeParts: DowntimeParts;
  readonly totalNs: Nanos;
}
