import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import type { MemoryStore } from '../run/memory-store.ts';
import type { RequestedMigrationDocument, SharedLink } from '../scenario/migration-request.ts';
import type { PlannedGuest } from '../study/plan/guest-problem.ts';
import type { PlanProblem } from '../study/plan/plan-problem.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { Progress } from './migration-schemas.ts';
import type { MigrationRequest, PlannedMigration } from './planned-migration.ts';

/** A migration whose turn has come. */
export interface AdmittedMigration {
  readonly id: string;
  readonly request: MigrationRequest;
  readonly planned: PlannedMigration;
  readonly to: DestinationThere;
  /** Where it has its lease, under its id, if it goes over a link of the configuration. */
  readonly store: MemoryStore | undefined;
  /** What its record says beside how it went, as far as it is known before. */
  readonly metadata: RunMetadata;
  progressed(progress: Progress): void;
}

/** A guest, and how it may be asked to migrate, as far as that is known. */
export interface KnownFor {
  readonly guest: string;
  readonly migration: RequestedMigrationDocument;
  readonly link: SharedLink | undefined;
}

/** How guests of one kind are moved to other hosts. */
export interface Mover {
  /** Where its migrations are carried out, as records say it. */
  readonly world: 'threads' | 'qemu';
  /** What is to move. @throws NotFound no such guest lives here @throws Failure it cannot be moved, and why */
  find(guest: string): Promise<GuestDefinition>;
  /**
   * The same with what its programs write, which may take some seconds to find out.
   * @param asked by which that can be cancelled
   * @throws UsageError what is wrong with the request, before anything is touched
   * @throws NotFound, Failure as `find`; it could not be found out
   */
  known(asked: string, request: KnownFor): Promise<GuestDefinition>;
  /** How it is to be planned for a target. @throws UsageError all that is wrong with what is asked for */
  problem(guest: PlannedGuest): PlanProblem;
  /** As virtual time carries it out. @param definition of a guest that is known */
  modelled(planned: PlannedMigration, definition: GuestDefinition): MigrationSpec;
  /** What virtual time does not know of such a guest: of what it computes here, and of what it has planned for a target. */
  readonly leftOut: { readonly computed: readonly string[]; readonly planned: readonly string[] };
  /** @throws UsageError all that is wrong with what is asked for */
  planned(request: MigrationRequest, definition: GuestDefinition): PlannedMigration;
  /** What the model says of it; null: nothing can be said. */
  predicted(planned: PlannedMigration, definition: GuestDefinition): Promise<RunMetadata['predicted']>;
  /** @throws Failure it could not be set up, or was cancelled meanwhile; nothing has been left behind */
  carryOut(migration: AdmittedMigration): Promise<MigrationRecord>;
  /** @returns whether its migration will end for it; it does not once the guest has been given away */
  cancel(guest: string, why: string): Promise<boolean>;
}
