import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Nanos } from '../core/units.ts';
import { type ScenarioCell, seeded } from '../scenario/scenario.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { virtualWorld } from '../worlds/virtual/virtual-worlds.ts';
import { driveSync } from './drive.ts';
import { canBePredicted } from './predict.ts';

/** Results of many migrations in virtual time, each with its own seed. */
export interface Ensemble {
  readonly downtimesNs: readonly Nanos[];
  readonly totalsNs: readonly Nanos[];
}

const RUNS_MAX = 200;
const TIME_LIMIT_MS = 2_000;

/** `undefined`: the scenario has no meaning in virtual time (a link without a rate). */
export function virtualEnsemble(cell: ScenarioCell, seed: number): Ensemble | undefined {
  if (!canBePredicted(cell)) return undefined;
  const results: MigrationResult[] = [];
  const one = (index: number) => migrateVirtually(seeded(cell, seed + index));
  // Above 2^53 two seeds would be one number.
  const runs = Math.min(RUNS_MAX, Number.MAX_SAFE_INTEGER - seed + 1);
  for (const result of repeatedInTime(runs, TIME_LIMIT_MS, one)) {
    if (result.outcome !== 'completed') return undefined;
    results.push(result);
  }
  return {
    downtimesNs: results.map(({ downtimeNs }) => downtimeNs),
    totalsNs: results.map(({ totalNs }) => totalNs),
  };
}

const RUNS_MIN = 3;

/** Up to `most` values, fewer if they take longer than the limit, but at least three. */
export function* repeatedInTime<Value>(
  most: number,
  limitMs: number,
  one: (index: number) => Value,
): Generator<Value> {
  const startedAt = performance.now();
  for (let index = 0; index < most; index++) {
    if (index >= RUNS_MIN && performance.now() - startedAt > limitMs) return;
    yield one(index);
  }
}

/**
 * One migration in virtual time.
 * @param isWatched whether its record shall say what left in windows, which takes time to find out
 */
export function migrateVirtually(spec: MigrationSpec, isWatched = false): MigrationResult {
  const world = virtualWorld(spec, isWatched);
  const result = driveSync(spec.plan, world);
  void world.close();
  return result;
}
