import { isContended } from '../core/cpu/cpu-plan.ts';
import { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';

const PHASE_STREAM = 5;

/**
 * How long the guest runs before its migration begins: a seeded time, up to the longest of its heartbeat period and the
 * reservations' periods, so that repetitions begin at different points of them. 0 where no threads compete.
 */
export function phaseNs({ guest, cpu }: MigrationSpec): Nanos {
  if (!isContended(cpu)) return 0;
  const periods = [guest.heartbeatPeriodNs, cpu.guest?.periodNs ?? 0, cpu.sender?.periodNs ?? 0];
  return Random.seeded(guest.seed, PHASE_STREAM).uniform() * Math.max(...periods);
}
