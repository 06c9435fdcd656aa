import type { MigrationResult } from '../core/migration/migration-result.ts';
import {
  type Admission,
  type MigrationRecord,
  migrationRecord,
  type RunMetadata,
} from '../core/migration/record.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { World } from '../worlds/world.ts';
import type { TraceLine } from './trace.ts';

/** A migration that has been carried out, while its world is still there. */
export interface MigrationRun {
  readonly spec: MigrationSpec;
  readonly result: MigrationResult;
  readonly steps: readonly { readonly step: Step; readonly result: StepResult }[];
  readonly world: Pick<World, 'startedAt' | 'slices'>;
  /** null: it never asked for a reservation of a shared link. */
  readonly admission: Admission | null;
  /** Says where its reservations were kept in another way than the scenario asks for. */
  readonly notes: readonly string[];
}

/** Everything that passed between the migration and its world. */
export function traceOf({ spec, steps, result }: MigrationRun): readonly TraceLine[] {
  return [
    { plan: spec.plan },
    ...steps.map((each) => ({ step: each.step, seen: each.result })),
    { course: result },
  ];
}

/** The record of a migration, given where it ran and what the model predicted. */
export function recordOf(
  { spec, result, world, admission, notes }: MigrationRun,
  about: Pick<RunMetadata, 'world' | 'scenario' | 'predicted'>,
): MigrationRecord {
  const metadata = metadataOf(spec, { ...about, startedAt: world.startedAt, admission });
  return migrationRecord(metadata, { ...result, notes: [...notes, ...result.notes] });
}

/** What a record says besides how the migration went. */
export function metadataOf(
  { guest, plan, cpu, antagonists = [] }: MigrationSpec,
  about: Pick<RunMetadata, 'world' | 'scenario' | 'startedAt' | 'admission' | 'predicted'>,
): RunMetadata {
  const { reclaim: _, ...reservations } = cpu;
  return {
    world: about.world,
    scenario: about.scenario,
    seed: plan.seed,
    startedAt: about.startedAt,
    guest: { name: guest.name, pages: guest.pages, pageSizeBytes: guest.pageSizeBytes },
    plan,
    reservations,
    antagonists,
    admission: about.admission,
    predicted: about.predicted,
  };
}
