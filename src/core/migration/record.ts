import type { Antagonist } from '../antagonist.ts';
import type { Scheduler } from '../cpu/cpu-plan.ts';
import type { Reservation } from '../cpu/reservation.ts';
import type { PredictedMachine } from '../machine-costs.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../units.ts';
import type { LinkRecord, MigrationResult } from './migration-result.ts';
import type { Plan } from './plan.ts';

/**
 * Times are on the clock of the link's ledger: since the first of its migrations set out, since the daemon began whose link
 * it is, or since 1970 where the ledger is kept in Redis.
 */
export interface Admission {
  readonly capacityBytesPerSecond: BytesPerSecond;
  readonly priority: number;
  readonly askedAtNs: Nanos;
  readonly waitedNs: Nanos;
  /** max(b, b_d) when it was admitted, or an elastic migration's part; 0: it was not, or had nothing yet. */
  readonly grantedBytesPerSecond: BytesPerSecond;
  readonly releasedAtNs: Nanos;
  /**
   * Where it was allowed something else later: from an instant on so much, 0: nothing. Less where some was taken back, the
   * old rate again when that returned; of an elastic migration whenever its part was another.
   */
  readonly revocations: readonly { readonly atNs: Nanos; readonly rateBytesPerSecond: BytesPerSecond }[];
}

/** What made a record, beside the scenario: what may come to something else elsewhere. */
export interface Environment {
  /** Of this program. */
  readonly version: string;
  readonly node: string;
  /** Its name and release, such as `Linux 6.1.0-18-amd64`. */
  readonly kernel: string;
  readonly processor: string;
  /**
   * SHA-256 of what ran as JSON with sorted keys: guest, plan, reservations, link and antagonists, defaults included and
   * without seeds. Records of repetitions have the same. Of a sweep: the digest in its design.
   */
  readonly scenarioDigest: string;
  /** Whose costs virtual time and the model added; null: nobody's. */
  readonly machineProfile: { readonly name: string; readonly sha256: string } | null;
}

/** Where, when and under what a migration ran: what the generator cannot know. */
export interface RunMetadata {
  readonly world: string;
  readonly scenario: string;
  readonly seed: number;
  /** ISO 8601; in virtual time there is no date, and it is the epoch. */
  readonly startedAt: string;
  readonly guest: {
    readonly name: string;
    readonly pages: number;
    readonly pageSizeBytes: Bytes;
    /** Of one that replays a recording: the instant of it at which the guest began. */
    readonly recordingStartNs?: Nanos | undefined;
  };
  readonly plan: Plan;
  readonly reservations: {
    readonly guest: Reservation | null;
    readonly sender: Reservation | null;
    readonly scheduler: Scheduler;
    readonly processors: number;
    /** CPU time that the sender was given to use for a page. */
    readonly cpuPerPageNs: Nanos;
    readonly cpuPerHandoverNs: Nanos;
    readonly hogs: number;
  };
  /** What worked against it besides the hogs. */
  readonly antagonists: readonly Antagonist[];
  /** How the migration got its reservation of the link; null: nobody else could want any of it, or who keeps it was not reached. */
  readonly admission: Admission | null;
  /** Whose costs virtual time and the model added, if any. */
  readonly machine?: Pick<PredictedMachine, 'name' | 'sha256' | 'world'> | undefined;
  readonly predicted: {
    readonly downtimeNs: Nanos;
    readonly downtimeP99Ns: Nanos;
    readonly totalNs: Nanos;
    /** With a sender's reservation: what the stop does not exceed with probability 0.99 however its budgets fall. */
    readonly downtimeBoundNs?: Nanos | undefined;
    /** What the model simplifies. Up to version 0.1 a record did not say it, nor what is left out. */
    readonly assumes?: readonly string[] | undefined;
    /** What the scenario says and the figures do not depend on, by its keys. */
    readonly leftOut?: readonly string[] | undefined;
  } | null;
  /** Not there in records of a sweep, whose folder has it once, and up to version 0.1. */
  readonly environment?: Environment | undefined;
}

/** One schema for all worlds. Times in ns, sizes in bytes. */
export interface MigrationRecord extends RunMetadata, MigrationResult {
  readonly schema: 'switchover.record/1';
}

export function migrationRecord(
  { environment, ...metadata }: RunMetadata,
  result: MigrationResult,
): MigrationRecord {
  const link = metadata.plan.isElastic ? notReserved(result.link) : result.link;
  // At the end: what is before it is the same on every machine, in virtual time.
  const made = environment === undefined ? {} : { environment };
  return { schema: 'switchover.record/1', ...metadata, ...result, link, ...made };
}

/** An elastic migration kept to its part of the link, which was nobody's promise. */
function notReserved(link: LinkRecord): LinkRecord {
  const windows = link.windows.map((window) => ({ ...window, allowedBytes: null }));
  return { ...link, reservedBytesPerSecond: null, worstExcessBytes: null, windows, utilisation: null };
}
