import type { Antagonist } from '../core/antagonist.ts';
import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import type { PredictedMachine } from '../core/machine-costs.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../core/units.ts';
import type { GuestSpec } from './programs.ts';

/** One migration: of which guest, by which plan, under which reservations, against what. What every world is given. */
export interface MigrationSpec {
  readonly guest: GuestSpec;
  readonly plan: Plan;
  readonly cpu: CpuPlan;
  /** What works against the migration, besides the hogs of `cpu`. */
  readonly antagonists?: readonly Antagonist[];
  /** Of the link, which antagonists take from; infinite without. */
  readonly linkCapacityBytesPerSecond?: BytesPerSecond;
  /** How long a byte is on its way there, or an answer back: in worlds without a real link. 0 without. */
  readonly linkLatencyNs?: Nanos;
  /** Of a page that was sent before, only what has changed is sent, where that is known: in the world vm. */
  readonly deltas?: boolean;
  /** Whose costs virtual time and the model add; without it, what they do not compute takes no time. */
  readonly machine?: PredictedMachine | undefined;
  /** For QEMU's own migration alone. */
  readonly native?: NativeSettings;
}

/** What QEMU's own migration is to use besides (qapi/migration.json: MigrationCapability). */
export interface NativeSettings {
  /** Of a page that was sent before, only what differs, as long as it is in a cache of so much; null: whole pages. */
  readonly xbzrleCacheBytes: Bytes | null;
  /** Connections for pages besides the one for everything else; 0: one for all. */
  readonly multifdChannels: number;
  /** The guest is throttled while it dirties more than is sent. */
  readonly autoConverge: boolean;
}
