import type { Slice } from '../core/cpu/slice.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Admission } from '../core/migration/record.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { TraceLine } from './trace.ts';

/** A migration that has ended, before its world is closed. */
export interface EndedMigration {
  readonly setup: MigrationSpec;
  readonly course: MigrationResult;
  readonly steps: readonly { readonly step: Step; readonly seen: StepResult }[];
  readonly world: { readonly startedAt: string; slices(): readonly Slice[] };
  readonly admission: Admission | null;
  readonly notes: readonly string[];
}

/** Everything that passed between the migration and its world. */
export function traceOf({ setup, steps, course }: EndedMigration): readonly TraceLine[] {
  return [{ plan: setup.plan }, ...steps, { course }];
}
