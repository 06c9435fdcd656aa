import { randomUUID } from 'node:crypto';
import { type MigrationRecord, migrationRecord, type RunMetadata } from '../core/migration/record.ts';
import { timestamp } from '../platform/clock.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { environmentOf } from '../run/environment.ts';
import type { MemoryStore } from '../run/memory-store.ts';
import { metadataOf } from '../run/migration-run.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { Admission } from './admission.ts';
import { unguaranteedKey } from './comparisons.ts';
import type { Computing } from './computing.ts';
import { cutShort } from './cut-short.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import type { Fate } from './fate.ts';
import type { Guests } from './guests.ts';
import type { Log } from './log.ts';
import { migrationEnded } from './migration-log.ts';
import type { MigrationView } from './migration-schemas.ts';
import type { AdmittedMigration, Mover } from './mover.ts';
import { type MigrationRequest, type PlannedMigration, specOf } from './planned-migration.ts';
import { ShownMigrations } from './shown-migrations.ts';
import type { PlannedTarget, TargetVerdict } from './target-schemas.ts';
import { targetVerdictOf } from './target-verdict.ts';
import { isGuaranteed, withoutGuarantee } from './virtual-estimate.ts';

/** What migrations need of the daemon, and whom they tell. */
export interface MigrationParts {
  readonly guests: Guests;
  /** Who moves a guest of this name. */
  readonly moverOf: (guest: string) => Mover;
  readonly admission: Admission;
  readonly computing: Computing;
  readonly eventLog: EventLog;
  readonly events: Events;
  readonly ended: (record: MigrationRecord) => void;
  readonly held: (verdict: TargetVerdict) => void;
  readonly sent: (link: string, bytes: number) => void;
  readonly log: Log;
}

/** Migrations of guests that live here to other hosts: asked for, waiting, running, ended. */
export class Migrations {
  readonly views: ShownMigrations;
  readonly #cancelled = new Set<string>();
  /** Whose mover has been told to begin. */
  readonly #begun = new Set<string>();
  readonly #parts: MigrationParts;

  constructor(parts: MigrationParts) {
    this.#parts = parts;
    this.views = new ShownMigrations(parts.events, parts.log, (id) => this.#cancelled.delete(id));
  }

  /**
   * What an earlier process had begun and not ended. Its record says how it ended as far as is known.
   * @param fateOf whose the guest of one is
   * @returns the records
   */
  settle(fateOf: (metadata: RunMetadata) => Fate): readonly MigrationRecord[] {
    const { eventLog, log } = this.#parts;
    for (const { id, record, unguaranteed, target } of eventLog.past.records) {
      this.views.remember(id, record, target);
      this.views.update(id, { unguaranteed });
    }
    return [...eventLog.past.unfinished].map(([id, { metadata, to, target }]) => {
      const { owner, why } = fateOf(metadata);
      const course = cutShort(`this daemon was killed meanwhile; ${why}`, owner);
      const record = migrationRecord(metadata, course);
      eventLog.write({ kind: 'ended', id, record, target });
      this.views.remember(id, record, target, to);
      this.#hold(record, target);
      log(...migrationEnded({ migration: id, guest: record.guest.name, peer: to }, record));
      return record;
    });
  }

  /**
   * @throws UsageError all that is wrong with it
   * @throws Failure no such guest, it cannot be moved, or it is being migrated
   * @throws NotAdmitted it can never run, too many wait already, or it could not be written down
   */
  async create(request: MigrationRequest): Promise<MigrationView> {
    const { admission } = this.#parts;
    const mover = this.#parts.moverOf(request.guest);
    const definition = await this.insistOnTaking(request.guest);
    const migration = mover.planned(request, definition);
    const predicted = await mover.predicted(migration, definition);
    // Another request may have been quicker, or the guest may be gone.
    const { guest } = await this.insistOnTaking(request.guest);
    const id = randomUUID();
    const { priority, queueTimeoutMs } = request;
    admission.add({
      ...migration.job(id),
      priority,
      queueTimeoutMs,
      run: (store) => this.#run(id, request, migration, store),
      dropped: (why) => this.views.dropped(id, 'cancelled', why),
    });
    this.views.asked(request, { id, pages: guest.pages, predicted });
    return this.views.get(id);
  }

  /** @throws NotFound. @throws Failure it has ended, or its guest has been given away */
  async cancel(id: string): Promise<MigrationView> {
    const view = this.views.get(id);
    const isCancelled =
      this.#parts.admission.drop(id, 'cancelled') || (await this.#interrupt(view, 'cancelled'));
    if (!isCancelled) throw new Failure(`too late: it is ${view.state}`);
    return this.views.get(id);
  }

  /**
   * What comes before all that takes long.
   * @throws NotFound no such guest @throws Failure it cannot be moved, or is being migrated
   * @throws NotAdmitted nothing new could be written down
   */
  async insistOnTaking(guest: string): Promise<GuestDefinition> {
    const { eventLog, moverOf } = this.#parts;
    eventLog.insistOnRoom();
    this.#insistOnFree(guest);
    const definition = await moverOf(guest).find(guest);
    this.#insistOnFree(guest);
    return definition;
  }

  /** @throws Failure it is being migrated */
  #insistOnFree(guest: string): void {
    const busy = this.views.list().find((view) => view.guest === guest && view.endedAt === null);
    if (busy) throw new Failure(`guest '${guest}' is in migration ${busy.id} already`);
  }

  /** All that run. */
  cancelAll(why: string): void {
    for (const view of this.views.list()) void this.#interrupt(view, why);
  }

  /** @returns whether it runs and its guest has not been given away */
  async #interrupt({ id, guest, state }: MigrationView, why: string): Promise<boolean> {
    if (state !== 'running') return false;
    const wasCancelled = this.#cancelled.has(id);
    this.#cancelled.add(id);
    if (!this.#begun.has(id)) return true;
    const isInterrupted = await this.#parts
      .moverOf(guest)
      .cancel(guest, why)
      .catch(() => false);
    if (!isInterrupted && !wasCancelled) this.#cancelled.delete(id);
    return isInterrupted;
  }

  /** @param store where its lease is kept, if it has one */
  async #run(
    id: string,
    request: MigrationRequest,
    planned: PlannedMigration,
    store: MemoryStore | undefined,
  ): Promise<void> {
    const { guests, eventLog } = this.#parts;
    const { predicted } = this.views.get(id);
    const startedAt = timestamp();
    this.views.begun(id, startedAt);
    try {
      const to = request.to.there();
      const mover = this.#parts.moverOf(request.guest);
      const spec = specOf(planned, await mover.find(request.guest));
      const metadata = metadataOf(spec, {
        world: mover.world,
        scenario: `to ${request.to.name}`,
        startedAt,
        admission: null,
        predicted,
        environment: environmentOf(spec),
      });
      eventLog.record({ kind: 'begun', id, metadata, to: request.to.name, target: request.target });
      const progressed = (progress: MigrationView['progress']) => this.views.change(id, { progress });
      const migration = { id, request, planned, to, store, metadata, progressed };
      const record = await this.#carryOut(mover, migration).catch((cause) => {
        const outcome = this.#cancelled.has(id) ? 'cancelled' : 'failed';
        return migrationRecord(metadata, cutShort(reasonOf(cause), 'source', outcome));
      });
      eventLog.write({ kind: 'ended', id, record, target: request.target });
      if (request.link) this.#parts.sent(request.link.name, record.link.sentBytes);
      this.#parts.ended(record);
      this.#hold(record, request.target);
      this.views.ended(id, record);
      void this.#computeUnguaranteed(id, record, spec);
    } catch (cause) {
      this.views.dropped(id, 'failed', reasonOf(cause));
    } finally {
      guests.look();
    }
  }

  async #carryOut(mover: Mover, migration: AdmittedMigration): Promise<MigrationRecord> {
    const { id } = migration;
    if (this.#cancelled.has(id)) throw new Failure('cancelled');
    this.#begun.add(id);
    try {
      return await mover.carryOut(migration);
    } finally {
      this.#begun.delete(id);
    }
  }

  /** What the same would have been without its CPU reservations: computed once for all that are the same. */
  async #computeUnguaranteed(id: string, record: MigrationRecord, spec: MigrationSpec): Promise<void> {
    if (record.outcome !== 'completed' || !isGuaranteed(spec.cpu)) return;
    const { computing, eventLog } = this.#parts;
    const key = unguaranteedKey(record, this.views.get(id).to);
    const same = this.views
      .list()
      .find((view) => view.unguaranteed && unguaranteedKey(view.record!, view.to) === key);
    try {
      const bare = { ...spec, cpu: withoutGuarantee(spec.cpu) };
      const unguaranteed = same?.unguaranteed ?? (await computing.estimate(bare));
      if (unguaranteed === null) return;
      eventLog.write({ kind: 'compared', id, unguaranteed });
      this.views.change(id, { unguaranteed });
    } catch {
      // The daemon is about to end, or has forgotten it meanwhile: nobody asks for it any more.
    }
  }

  #hold(record: MigrationRecord, target: PlannedTarget | null): void {
    const verdict = targetVerdictOf(record, target);
    if (verdict) this.#parts.held(verdict);
  }
}
