import { migrate } from '../core/migration/migrate.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { World } from '../worlds/world.ts';

/** Called with every step and what the world answered. */
export type StepListener = (step: Step, seen: StepResult) => void;

/** Carries out a migration in a world, step by step. */
export async function drive(
  plan: Plan,
  world: World,
  listener: StepListener = () => {},
): Promise<MigrationResult> {
  if (world.migrate) return world.migrate();
  const migration = migrate(plan);
  let next = migration.next();
  while (!next.done) {
    const seen = await world.perform(next.value);
    listener(next.value, seen);
    next = migration.next(seen);
  }
  return next.value;
}
