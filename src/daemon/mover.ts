import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import type { MemoryStore } from '../run/memory-store.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
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

/** How guests of one kind are moved to other hosts. */
export interface Mover {
  /** Where its migrations are carried out, as records say it. */
  readonly world: 'threads' | 'qemu';
  /** What is to move. @throws NotFound no such guest lives here @throws Failure it cannot be moved, and why */
  find(guest: string): Promise<GuestDefinition>;
  /** @throws UsageError all that is wrong with what is asked for */
  planned(request: MigrationRequest, definition: GuestDefinition): PlannedMigration;
  /** What the model says of it; null: nothing can be said. */
  predicted(planned: PlannedMigration, definition: GuestDefinition): Promise<RunMetadata['predicted']>;
  /** @throws Failure it could not be set up, or was cancelled meanwhile; nothing has been left behind */
  carryOut(migration: AdmittedMigration): Promise<MigrationRecord>;
  /** @returns whether its migration will end for it; it does not once the guest has been given away */
  cancel(guest: string, why: string): Promise<boolean>;
}
