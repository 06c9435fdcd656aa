import { migrate } from '../core/migration/migrate.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { World } from '../worlds/world.ts';

/** Called with every step and its result. */
export type StepListener = (step: Step, result: StepResult) => void;

/** A world that answers at once: virtual time, or recorded results. */
export interface SyncWorld {
  carryOut(step: Step): StepResult;
}

/**
 * Carries out a migration in a world, step by step.
 * @param listener called after every step; not in a world that carries out the whole migration itself
 * @returns how it went: a migration that fails ends with a result too
 */
export async function drive(
  plan: Plan,
  world: Pick<World, 'perform' | 'migrate'>,
  listener: StepListener = () => {},
): Promise<MigrationResult> {
  if (world.migrate) return world.migrate();
  const migration = migrate(plan);
  let next = migration.next();
  while (!next.done) {
    const result = await world.perform(next.value);
    listener(next.value, result);
    next = migration.next(result);
  }
  return next.value;
}

/** The same in a world that answers at once. */
export function driveSync(plan: Plan, world: SyncWorld, listener: StepListener = () => {}): MigrationResult {
  const migration = migrate(plan);
  let next = migration.next();
  while (!next.done) {
    const result = world.carryOut(next.value);
    listener(next.value, result);
    next = migration.next(result);
  }
  return next.value;
}
