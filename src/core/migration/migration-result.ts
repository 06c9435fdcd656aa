import type { Reservation } from '../cpu/reservation.ts';
import type { ServerRecord } from '../cpu/server-record.ts';
import type { Encryption } from '../link/encryption.ts';
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
  /** |D_{K+1}|: the pages sent while the guest was paused. */
  readonly pages: number;
  readonly bytes: Bytes;
  readonly durationNs: Nanos;
}

/**
 * The downtime, cut at the instants at which one thing ended and the next began: the parts add up to it. Of a migration that
 * failed, the last part is what was under way then, up to the guest going on at the source.
 */
export interface DowntimeParts {
  /** Finding out which pages are dirty, where nobody keeps a dirty log. */
  readonly dirtyScanNs: Nanos;
  /** @deprecated The old name of `dirtyScanNs`, and the same time: not one part more. Version 0.3 leaves it out. */
  readonly lookNs: Nanos;
  /** Sending D_{K+1} at b_d, until the last page has left. In virtual time a way takes no time. */
  readonly memoryNs: Nanos;
  /** Sending the state of the guest's devices at b_d, and the time that they take besides. */
  readonly deviceNs: Nanos;
  /** The last pages’ way, comparing what was sent of the guest with what was received by a digest, and the answer’s way. */
  readonly stateNs: Nanos;
  /** Hashing every real byte on both sides, when asked for. */
  readonly verifyNs: Nanos;
  readonly commitNs: Nanos;
  readonly resumeNs: Nanos;
}

type Parts = Omit<DowntimeParts, 'lookNs'>;

const noParts: Parts = {
  ...{ dirtyScanNs: 0, memoryNs: 0, deviceNs: 0, stateNs: 0, verifyNs: 0, commitNs: 0, resumeNs: 0 },
};

/** The parts as a record has them; those that are not given took no time. */
export function downtimeParts(given: Partial<Parts> = {}): DowntimeParts {
  const { dirtyScanNs, ...others } = { ...noParts, ...given };
  return { dirtyScanNs, lookNs: dirtyScanNs, ...others };
}

/**
 * Each part of a record's downtime once, under its name of today: up to version 0.1 a record had `lookNs` alone, up to 0.2 no
 * `deviceNs`.
 */
export function partsOf({
  lookNs,
  ...parts
}: Omit<DowntimeParts, 'dirtyScanNs' | 'deviceNs'> & Partial<DowntimeParts>): Parts {
  return { dirtyScanNs: lookNs, deviceNs: 0, ...parts };
}

export const outcomes = ['completed', 'not-converged', 'aborted', 'cancelled', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];
export type Owner = 'source' | 'destination' | 'nobody';

/** What the guest's client saw. */
export interface Outage {
  readonly longestGapNs: Nanos;
  readonly lostHeartbeats: number;
  readonly repeatedHeartbeats: number;
  /** Heartbeats of the whole run. */
  readonly heartbeats: number;
  /** Of these, the ones that the guest sent later than one heartbeat period after they were due. */
  readonly lateHeartbeats: number;
}

export type MemoryComparison = 'identical' | 'different' | 'not-checked';

export interface Verification {
  /** The destination's memory against the source's while the guest was paused, by a hash of all bytes. */
  readonly memory: MemoryComparison;
  /** The guest's memory at the end of the run against that of a guest which never moved. */
  readonly continued: MemoryComparison;
}

export const CHANGED_ON_ITS_WAY =
  'the guest was changed on its way: its memory differs from that of one that never moved';

/** How a migration has ended whose guest runs at its destination: it has failed if the guest was changed on its way. */
export function arrived(
  reason: string,
  { continued }: Verification,
): Pick<MigrationResult, 'outcome' | 'reason' | 'owner'> {
  if (continued !== 'different') return { outcome: 'completed', reason, owner: 'destination' };
  return { outcome: 'failed', reason: CHANGED_ON_ITS_WAY, owner: 'destination' };
}

/** What left in the window of this length, wherever it begins, in which most did. */
export interface LinkWindow {
  readonly windowNs: Nanos;
  readonly mostBytes: Bytes;
  /** depth + the highest reserved rate × window; null without a reservation. */
  readonly allowedBytes: Bytes | null;
}

export interface LinkRecord {
  /** null: nothing was reserved. */
  readonly reservedBytesPerSecond: BytesPerSecond | null;
  readonly depthBytes: Bytes;
  /** On the connection: with frame headers, and where it is encrypted with what TLS adds. */
  readonly sentBytes: Bytes;
  /** Over all intervals, bytes sent − (depth + rate × interval) at its largest; null without a reservation. */
  readonly worstExcessBytes: Bytes | null;
  /** Empty in an ensemble, where no single link is of interest. */
  readonly windows: readonly LinkWindow[];
  /**
   * Of what the reservation granted while there was something to send, the part that was used; the rest was lost to a
   * full bucket. null: nothing was sent under a reservation.
   */
  readonly utilisation: number | null;
  /** How late the pacer woke at worst; beyond depth / rate, some of the rate is lost. */
  readonly longestLatenessNs: Nanos;
  /** For how long in all the bucket was full while there was something to send: the sender came too late for its tokens. */
  readonly lateNs: Nanos;
  /**
   * From a word of the source to the destination's answer, at its shortest: at the handshake, less what the destination took to
   * make room, and after each round. null: not measured.
   */
  readonly roundTripNs: Nanos | null;
  readonly encryption: Encryption;
}

/** At what rate a migration's bytes arrived while there were some to send, beside what was reserved; at most that. */
export interface AchievedRates {
  /** Of all live rounds; null: they sent no more than a full bucket lets through at once, which tells no rate. */
  readonly liveBytesPerSecond: BytesPerSecond | null;
  /** The same while the guest was paused. */
  readonly stopBytesPerSecond: BytesPerSecond | null;
}

/** How the kernel kept a CPU reservation for threads of somebody else's QEMU: each of them has the whole budget. */
export interface KeptForThreads extends Reservation {
  /** `guest`: a thread for each of the machine's processors. `sender`: the thread that sends its migration. */
  readonly of: 'guest' | 'sender';
  /** SCHED_DEADLINE promises the budget and limits to it; a file of a control group only limits. */
  readonly by: 'SCHED_DEADLINE' | 'cpu.max' | 'cpu.cfs_quota_us';
  /** Why SCHED_DEADLINE could not be had; null: it was. */
  readonly whyNot: string | null;
  readonly threads: number;
  /** CPU time that they have used in the window, together, by the kernel's account. */
  readonly usedNs: Nanos;
  /** From the reservation to the stop of the machine; of the sender, to its last page. */
  readonly windowNs: Nanos;
}

/** What of its plan a migration of somebody else's machine could not do exactly. */
export interface Fidelity {
  /** `pull`: pages were asked for in the plan's order; `pass`: they came in QEMU's own. */
  readonly mode: 'pull' | 'pass';
  /** Pages that came in live rounds without being asked for, or again. */
  readonly unaskedPages: number;
  /** How often a page came before one that had been asked for earlier. */
  readonly outOfPlacePages: number;
  /** Pages of the machine that never came. */
  readonly neverSentPages: number;
  /** From the instant at which the plan stops the guest to that at which it stood still; null: it was not stopped. */
  readonly ruleToStopNs: Nanos | null;
  /** Pages that left between these two instants. */
  readonly inFlightPages: number;
  /** The state of the devices and what QEMU says of it, sent at b_d after the pages. */
  readonly deviceBytes: Bytes;
  /** By what CPU time was reserved. Up to version 0.2 a record did not say it. */
  readonly reservations?: readonly KeptForThreads[] | undefined;
}

/** What the world's instruments saw of one migration. */
export interface Measurements {
  readonly outage: Outage | null;
  readonly verified: Verification;
  readonly servers: readonly ServerRecord[];
  readonly link: LinkRecord;
  /** What a reader must know of how the reservations were kept: privileges, what was done otherwise, warnings. */
  readonly notes: readonly string[];
  /** Not there: the world carries out every plan exactly. */
  readonly fidelity?: Fidelity | undefined;
}

/** How a migration went: what the generator returns. */
export interface MigrationResult extends Measurements {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly owner: Owner;
  readonly rounds: readonly RoundRecord[];
  readonly stop: StopRecord;
  /** Not there: QEMU migrated by itself. Up to version 0.2 a record did not say it. */
  readonly achieved?: AchievedRates | undefined;
  /** Of a guest that `nobody` owns, up to the commit: from then on it may run at its destination. */
  readonly downtimeNs: Nanos;
  readonly downtimeParts: DowntimeParts;
  readonly totalNs: Nanos;
}
