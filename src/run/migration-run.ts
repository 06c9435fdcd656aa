import type { MigrationResult } from '../core/migration/migration-result.ts';
import {
  type Admission,
  type MigrationRecord,
  migrationRecord,
  type RunMetadata,
} from '../core/migration/record.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { recordingStartNs, type TraceSpec } from '../workload/trace.ts';
import type { World } from '../worlds/world.ts';

/** A migration that has been carried out, while its world is still there. Its steps are kept by nobody: see `StepListener`. */
export interface MigrationRun {
  readonly spec: MigrationSpec;
  readonly result: MigrationResult;
  readonly pause: SeenPause;
  readonly world: Pick<World, 'startedAt' | 'slices'>;
  /** null: it never asked for a reservation of a shared link. */
  readonly admission: Admission | null;
  /** Says where its reservations were kept in another way than the scenario asks for. */
  readonly notes: readonly string[];
}

/** From when the guest was paused to when it ran at its destination, by the clock of the world; undefined: not so far. */
export class SeenPause {
  stoppedAtNs: Nanos | undefined;
  resumedAtNs: Nanos | undefined;

  see({ kind }: Step, result: StepResult): void {
    if (kind === 'stop') this.stoppedAtNs = result.now;
    if (result.kind === 'handed over') this.resumedAtNs = result.runningAtNs;
  }
}

/** The record of a migration, given where it ran and what the model predicted. */
export function recordOf(
  {
    spec,
    result,
    world,
    admission,
    notes,
  }: Pick<MigrationRun, 'spec' | 'result' | 'admission' | 'notes'> & {
    readonly world: Pick<World, 'startedAt'>;
  },
  about: Pick<RunMetadata, 'world' | 'scenario' | 'predicted' | 'environment'>,
): MigrationRecord {
  const metadata = metadataOf(spec, { ...about, startedAt: world.startedAt, admission });
  return migrationRecord(metadata, { ...result, notes: [...notes, ...result.notes] });
}

/** What a record says besides how the migration went. */
export function metadataOf(
  { guest, plan, cpu, antagonists = [], machine }: MigrationSpec,
  about: Pick<RunMetadata, 'world' | 'scenario' | 'startedAt' | 'admission' | 'predicted' | 'environment'>,
): RunMetadata {
  const { reclaim: _, guestScheduler: __, ...reservations } = cpu;
  const { name, pages, pageSizeBytes, program } = guest;
  return {
    world: about.world,
    scenario: about.scenario,
    seed: plan.seed,
    startedAt: about.startedAt,
    guest: { name, pages, pageSizeBytes, ...(program.kind === 'trace' && startOf(program, guest.seed)) },
    plan,
    reservations,
    antagonists,
    admission: about.admission,
    ...(machine && { machine: { name: machine.name, sha256: machine.sha256, world: machine.world } }),
    predicted: about.predicted,
    environment: about.environment,
  };
}

function startOf(program: TraceSpec, seed: number): Pick<RunMetadata['guest'], 'recordingStartNs'> {
  return { recordingStartNs: recordingStartNs(program, seed) };
}
