import { migrate } from '../core/migration/migrate.ts';
import type { Course } from '../core/migration/migration-result.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Seen, Step } from '../core/migration/steps.ts';
import type { World } from '../worlds/world.ts';

/** Called with every step and what the world answered. */
export type Witnessed = (step: Step, seen: Seen) => void;

/** Carries out a migration in a world, step by step. */
export async function drive(plan: Plan, world: World, witnessed: Witnessed = () => {}): Promise<Course> {
  if (world.migrate) return world.migrate();
  const migration = migrate(plan);
  let next = migration.next();
  while (!next.done) {
    const seen = await world.perform(next.value);
    witnessed(next.value, seen);
    next = migration.next(seen);
  }
  return next.value;
}
