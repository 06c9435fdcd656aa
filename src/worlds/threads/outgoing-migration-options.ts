import type { CpuPlan } from '../../core/cpu/cpu-plan.ts';
import type { Plan } from '../../core/migration/plan.ts';
import type { Nanos } from '../../core/units.ts';
import type { Cpu } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/connect.ts';
import type { Interruption } from '../../transport/interruption.ts';
import type { Resident } from './guest-instance.ts';
import type { Onlooker } from './migration-hooks.ts';

/** What a guest needs to leave. */
export interface DepartureOptions {
  /** The guest; claimed for this. */
  readonly resident: Resident;
  readonly plan: Plan;
  readonly cpu: CpuPlan;
  /** The processors on which the sender takes its turns. */
  readonly processors: Cpu;
  readonly to: DestinationThere;
  /** The folder where a journal is kept, if any. */
  readonly journals?: string | undefined;
  readonly onlooker: Onlooker;
  readonly interruption: Interruption;
  /** How late the sender's timers are made on the average, for an experiment. */
  readonly timerNoiseMeanNs?: Nanos;
  /** What was started for this migration alone, and ends with it. */
  readonly parts?: readonly { end(): Promise<unknown> }[];
}
