import { type MigrationRecord, migrationRecord, type RunMetadata } from '../core/migration/record.ts';
import { drive } from '../run/drive.ts';
import { SharedLinkWorld } from '../run/shared-link.ts';
import { requestedMigration } from '../scenario/migration-request.ts';
import { guestProblem, type PlannedGuest } from '../study/plan/guest-problem.ts';
import type { PlanProblem } from '../study/plan/plan-problem.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { Host } from '../worlds/threads/host.ts';
import type { Computing } from './computing.ts';
import type { Events } from './events.ts';
import type { Guests } from './guests.ts';
import { startLiveSampler } from './live-sampler.ts';
import type { AdmittedMigration, KnownFor, Mover } from './mover.ts';
import {
  type MigrationRequest,
  type PlannedMigration,
  plannedMigration,
  specOf,
} from './planned-migration.ts';
import { ProgressOfSteps } from './progress.ts';

interface ThreadsMoverParts {
  readonly host: Host;
  readonly guests: Guests;
  readonly computing: Computing;
  readonly events: Events;
}

/** Moves guests that are threads of this process. */
export class ThreadsMover implements Mover {
  readonly world = 'threads';
  readonly leftOut = {
    computed: ['digests, hashes of memory, and the messages of the hand-over'],
    planned: [],
  };
  readonly #parts: ThreadsMoverParts;

  constructor(parts: ThreadsMoverParts) {
    this.#parts = parts;
  }

  async find(guest: string): Promise<GuestDefinition> {
    return this.#parts.guests.placeOf(guest);
  }

  known(_asked: string, { guest }: KnownFor): Promise<GuestDefinition> {
    return this.find(guest);
  }

  problem(guest: PlannedGuest): PlanProblem {
    return guestProblem(guest);
  }

  modelled(planned: PlannedMigration, definition: GuestDefinition): MigrationSpec {
    return specOf(planned, definition);
  }

  planned(request: MigrationRequest, { guest, reservation }: GuestDefinition): PlannedMigration {
    const { migration, link } = request;
    const requested = requestedMigration(migration, guest, reservation, link);
    return plannedMigration(request, requested, { has: reservation ? [reservation] : [], takes: [] });
  }

  predicted(
    { plan, cpu, share }: PlannedMigration,
    { guest }: GuestDefinition,
  ): Promise<RunMetadata['predicted']> {
    return this.#parts.computing.predict({ guest, plan, cpu, share });
  }

  async carryOut(migration: AdmittedMigration): Promise<MigrationRecord> {
    const { id, request, planned, to, store, metadata, progressed } = migration;
    const { plan, cpu, share } = planned;
    const { host, guests, events } = this.#parts;
    const beginning = host.migrate(request.guest, { plan, cpu }, to, id);
    // It is leaving from now on, also while the destination is still being asked.
    guests.look();
    const world = await beginning;
    const shared = store && share ? new SharedLinkWorld(world, { plan }, share, store, id) : undefined;
    const progress = new ProgressOfSteps();
    const endSampler = startLiveSampler(id, world, events);
    try {
      const course = await drive(plan, shared ?? world, (step, seen) => {
        if (progress.see(step, seen)) progressed(progress.shown);
      });
      return migrationRecord({ ...metadata, admission: shared?.admission ?? null }, course);
    } finally {
      endSampler();
      await shared?.leave();
      await world.close();
    }
  }

  async cancel(guest: string, why: string): Promise<boolean> {
    return this.#parts.host.cancel(guest, why);
  }
}
