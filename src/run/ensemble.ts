import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Nanos } from '../core/units.ts';
import { type ScenarioCell, seeded } from '../scenario/scenario.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { VirtualWorld } from '../worlds/virtual/virtual-world.ts';
import { driveSync } from './drive.ts';
import { canBePredicted } from './predict.ts';

/** What the virtual world says of a scenario: many migrations, each with its own seed. */
export interface Ensemble {
  readonly downtimesNs: readonly Nanos[];
  readonly totalsNs: readonly Nanos[];
}

/** So many migrations, unless they take longer than the time allowed; at least a few. */
const RUNS_MAX = 200;
const RUNS_MIN = 3;
const TIME_LIMIT_MS = 2_000;

/** `undefined`: the scenario has no meaning in virtual time (a link without a rate). */
export function virtualEnsemble(cell: ScenarioCell, seed: number): Ensemble | undefined {
  if (!canBePredicted(cell)) return undefined;
  const results: MigrationResult[] = [];
  const startedAt = performance.now();
  while (results.length < RUNS_MAX) {
    if (results.length >= RUNS_MIN && performance.now() - startedAt > TIME_LIMIT_MS) break;
    const result = migrateVirtually(seeded(cell, seed + results.length));
    if (result.outcome !== 'completed') return undefined;
    results.push(result);
  }
  return {
    downtimesNs: results.map(({ downtimeNs }) => downtimeNs),
    totalsNs: results.map(({ totalNs }) => totalNs),
  };
}

/**
 * One migration in virtual time.
 * @param linkWindows whether the link's record shall say what left in windows, which takes time to find out
 */
export function migrateVirtually(spec: MigrationSpec, linkWindows = false): MigrationResult {
  return driveSync(spec.plan, new VirtualWorld(spec, linkWindows));
}
