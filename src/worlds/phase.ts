import { isContended } from '../core/cpu/cpu-plan.ts';
import { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';

const PHASE_STREAM = 5;

/**
 * How long the guest has run before anything is asked of it: a seeded point of its own period and of everybody's
 * reservations, so that repetitions do not all meet them at the same one. Nothing where nobody competes.
 */
export function phaseNs({ guest, cpu }: MigrationSpec): Nanos {
  if (!isContended(cpu)) return 0;
  const periods = [guest.heartbeatPeriodNs, cpu.guest?.periodNs ?? 0, cpu.sender?.periodNs ?? 0];
  return Random.seeded(guest.seed, PHASE_STREAM).uniform() * Math.max(...periods);
}
