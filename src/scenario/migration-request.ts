import { z } from 'zod';
import { type CpuPlan, freeCpu, schedulers } from '../core/cpu/cpu-plan.ts';
import type { Plan } from '../core/migration/plan.ts';
import { UsageError } from '../platform/problem.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { checked } from './checked.ts';
import { checkCpu, resolveCpu } from './cpu.ts';
import { insisting, resolveGuest, resolvePlan } from './parts.ts';
import { whole } from './quantity.ts';
import { guestSchema, migrationSchema } from './scenario-schema.ts';

/** A scenario's guest, and who keeps its reservation. */
const guestDefinitionSchema = guestSchema.extend({
  scheduler: z.enum(schedulers, `a scheduler: ${schedulers.join(', ')}`).default('cbs-hard'),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(1),
});

/**
 * @param where its problems are
 * @throws UsageError all that is wrong with it
 */
export function guestDefinition(raw: unknown, where: string): GuestDefinition {
  try {
    const { scheduler, seed, ...document } = checked(guestDefinitionSchema, raw, 'guest');
    return insisting((insist) => {
      const guest = { ...resolveGuest(document, undefined, insist), seed };
      const { reservation = null } = document;
      if (reservation) checkCpu({ ...freeCpu, scheduler, guest: reservation }, insist);
      return { guest, reservation: reservation && { ...reservation, scheduler } };
    });
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const within = (path: string) => (path === 'guest' ? where : `${where}.${path.replace(/^guest\./, '')}`);
    throw new UsageError(cause.problems.map((problem) => ({ ...problem, path: within(problem.path) })));
  }
}

/** How a guest that is already there migrates. */
export interface RequestedMigration {
  readonly plan: Plan;
  readonly cpu: CpuPlan;
}

/**
 * @param guest what migrates
 * @param reservation what it has of a processor, which goes with it and is not for this migration to say
 * @throws UsageError all that is wrong with it
 */
export function requestedMigration(
  raw: unknown,
  guest: GuestSpec,
  reservation: GuestDefinition['reservation'],
): RequestedMigration {
  const document = checked(migrationSchema, raw, 'migration');
  return insisting((insist) => {
    const cpu = resolveCpu({ ...document, guest: {} });
    checkCpu(cpu, insist);
    const plan = { ...resolvePlan(document, guest, insist), seed: guest.seed };
    return { plan, cpu: { ...cpu, guest: reservation } };
  });
}
