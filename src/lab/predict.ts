import type { Course } from '../core/migration/course.ts';
import { migrate } from '../core/migration/migrate.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';
import type { WorldSetup } from '../worlds/world.ts';
import { type Scenario, seeded } from './scenario.ts';

/** What the virtual world says of a scenario: many migrations, each with its own seed. */
export interface Prediction {
  readonly downtimesNs: readonly number[];
  readonly totalsNs: readonly number[];
}

const PREDICTED_RUNS = 200;

/** `undefined`: the scenario has no meaning in virtual time (a link without a rate). */
export function predict(scenario: Scenario, seed: number, runs = PREDICTED_RUNS): Prediction | undefined {
  const { rateBytesPerSecond, stopRateBytesPerSecond } = scenario.plan;
  if (rateBytesPerSecond === null || stopRateBytesPerSecond === null) return undefined;
  const courses = Array.from({ length: runs }, (_, run) => migrateVirtually(seeded(scenario, seed + run)));
  return {
    downtimesNs: courses.map((course) => course.downtimeNs),
    totalsNs: courses.map((course) => course.totalNs),
  };
}

/** One migration in virtual time, without promises. */
export function migrateVirtually(setup: WorldSetup): Course {
  const world = new VirtualWorld(setup);
  const migration = migrate(setup.plan);
  let next = migration.next();
  while (!next.done) next = migration.next(world.carryOut(next.value));
  return next.value;
}
