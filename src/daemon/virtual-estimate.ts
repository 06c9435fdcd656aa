import { type CpuPlan, ruleOf } from '../core/cpu/cpu-plan.ts';
import type { Nanos } from '../core/units.ts';
import { type ProcessorLimit, processorLimit } from '../platform/machine-limits.ts';
import { migrateVirtually, repeatedInTime } from '../run/ensemble.ts';
import { canBePredicted } from '../run/predict.ts';
import { spread } from '../study/statistics/estimate.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';

/** Enough for a median and the middle 95 %. */
const MOST_RUNS = 100;
const TIME_LIMIT_MS = 500;

/** Of migrations in virtual time. */
interface Spread {
  readonly medianNs: Nanos;
  /** Between these lie the middle 95 %. */
  readonly lowNs: Nanos;
  readonly highNs: Nanos;
}

export interface VirtualEstimate {
  readonly runs: number;
  /** Those that were completed, of which the times are. */
  readonly completed: number;
  readonly downtime: Spread | null;
  readonly total: Spread | null;
}

/** What virtual time does not know of this host, on which guest and sender have a processor each. */
export function otherLoad({ time }: Pick<ProcessorLimit, 'time'> = processorLimit()): readonly string[] {
  const shared =
    'that guest and sender share what is less than two processors: each is taken to have one of its own';
  return [...(time < 2 ? [shared] : []), 'what else runs on the processors of guest and sender'];
}

/** The same migration in virtual time, again and again with other seeds. null: nothing limits how fast pages leave. */
export function virtualEstimate({ guest, plan, cpu }: MigrationSpec): VirtualEstimate | null {
  if (!canBePredicted({ plan, cpu })) return null;
  const one = (seed: number) => migrateVirtually({ guest: { ...guest, seed }, plan: { ...plan, seed }, cpu });
  const results = [...repeatedInTime(MOST_RUNS, TIME_LIMIT_MS, one)];
  const completed = results.filter(({ outcome }) => outcome === 'completed');
  return {
    runs: results.length,
    completed: completed.length,
    downtime: spreadOf(completed.map(({ downtimeNs }) => downtimeNs)),
    total: spreadOf(completed.map(({ totalNs }) => totalNs)),
  };
}

/** Whether CPU time is reserved, so that there is a same migration without it. */
export function isGuaranteed({ guest, sender }: Pick<CpuPlan, 'guest' | 'sender'>): boolean {
  return guest !== null || sender !== null;
}

/**
 * The same processors without reservations: where the dispatcher kept them, all take turns; where the kernel did, it
 * treats them alike.
 */
export function withoutGuarantee(cpu: CpuPlan): CpuPlan {
  const isKernels = ruleOf[cpu.scheduler] === 'linux' || cpu.scheduler === 'none';
  const scheduler = isKernels ? 'none' : 'fair';
  return {
    ...cpu,
    ...{ guest: null, sender: null, reclaim: false, scheduler },
    guestScheduler: cpu.guestScheduler && 'none',
  };
}

function spreadOf(values: readonly Nanos[]): Spread | null {
  if (values.length === 0) return null;
  const { median, low, high } = spread(values);
  return { medianNs: median, lowNs: low, highNs: high };
}
