import { migrate } from '../core/migration/migrate.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { type Scenario, seeded } from '../scenario/scenario.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';
import { canBePredicted } from './predict.ts';

/** What the virtual world says of a scenario: many migrations, each with its own seed. */
export interface Ensemble {
  readonly downtimesNs: readonly number[];
  readonly totalsNs: readonly number[];
}

/** So many migrations, unless they take longer than the time allowed; at least a few. */
const MOST_RUNS = 200;
const LEAST_RUNS = 3;
const PATIENCE_MS = 2_000;

/** `undefined`: the scenario has no meaning in virtual time (a link without a rate). */
export function virtualEnsemble(scenario: Scenario, seed: number): Ensemble | undefined {
  if (!canBePredicted(scenario)) return undefined;
  const courses: MigrationResult[] = [];
  const startedAt = performance.now();
  while (courses.length < MOST_RUNS) {
    if (courses.length >= LEAST_RUNS && performance.now() - startedAt > PATIENCE_MS) break;
    const course = migrateVirtually(seeded(scenario, seed + courses.length));
    if (course.outcome !== 'completed') return undefined;
    courses.push(course);
  }
  return {
    downtimesNs: courses.map((course) => course.downtimeNs),
    totalsNs: courses.map((course) => course.totalNs),
  };
}

/** One migration in virtual time, without promises. */
export function migrateVirtually(setup: MigrationSpec, linkWindows = false): MigrationResult {
  const world = new VirtualWorld(setup, linkWindows);
  const migration = migrate(setup.plan);
  let next = migration.next();
  while (!next.done) next = migration.next(world.carryOut(next.value));
  return next.value;
}
