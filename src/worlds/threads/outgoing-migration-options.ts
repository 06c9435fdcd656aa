import type { CpuPlan } from '../../core/cpu/cpu-plan.ts';
import type { Plan } from '../../core/migration/plan.ts';
import type { Nanos } from '../../core/units.ts';
import type { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import type { Interruption } from '../../transport/interruption.ts';
import type { GuestInstance } from './guest-instance.ts';
import type { MigrationHooks } from './migration-hooks.ts';

/** What a guest needs to leave. */
export interface OutgoingMigrationOptions {
  /** The guest; claimed for this. */
  readonly instance: GuestInstance;
  readonly plan: Plan;
  readonly cpu: CpuPlan;
  /** The processors on which the sender takes its turns. */
  readonly processors: Processors;
  readonly to: DestinationThere;
  /** The folder where a journal is kept, if any. */
  readonly journals?: string | undefined;
  readonly hooks: MigrationHooks;
  readonly interruption: Interruption;
  /** How late the sender's timers are made on the average, for an experiment. */
  readonly timerNoiseMeanNs?: Nanos;
  /** What was started for this migration alone, and ends with it. */
  readonly parts?: readonly { end(): Promise<unknown> }[];
}
