import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { type MigrationRecord, migrationRecord, type RunMetadata } from '../core/migration/record.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { WorldName } from '../worlds/worlds.ts';

/** What is said of a migration besides its course and its set-up. */
export interface Occasion {
  readonly world: WorldName;
  readonly scenario: string;
  readonly startedAt: string;
  readonly predicted: RunMetadata['predicted'];
  readonly admission?: RunMetadata['admission'];
}

/** The record of one migration, the same whoever ran it: a run or a cell of a sweep. */
export function recordOf(
  occasion: Occasion,
  { guest, plan, cpu, antagonists = [] }: MigrationSpec,
  course: MigrationResult,
): MigrationRecord {
  return migrationRecord(
    {
      world: occasion.world,
      scenario: occasion.scenario,
      seed: plan.seed,
      startedAt: occasion.startedAt,
      guest: { name: guest.name, pages: guest.pages, pageSizeBytes: guest.pageSizeBytes },
      plan,
      reservations: reservationsOf(cpu),
      antagonists,
      admission: occasion.admission ?? null,
      predicted: occasion.predicted,
    },
    course,
  );
}

function reservationsOf({ reclaim: _, ...reservations }: CpuPlan): RunMetadata['reservations'] {
  return reservations;
}
