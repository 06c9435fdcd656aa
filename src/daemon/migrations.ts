import { randomUUID } from 'node:crypto';
import { type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { timestamp, wallClockMs } from '../platform/clock.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { environmentOf } from '../run/environment.ts';
import type { LedgerStore } from '../run/lease-client.ts';
import { metadataOf } from '../run/migration-run.ts';
import type { Settlement } from '../transport/settlement.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { Host } from '../worlds/threads/host.ts';
import type { Admission } from './admission.ts';
import { carryOutMigration, cutShort } from './carry-out-migration.ts';
import { unguaranteedKey } from './comparisons.ts';
import type { Computing } from './computing.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import { fateOf, type Guests } from './guests.ts';
import { JobViews } from './job-views.ts';
import type { Log } from './log.ts';
import { migrationBegun, migrationDropped, migrationEnded } from './migration-log.ts';
import type { MigrationView } from './migration-schemas.ts';
import {
  type MigrationRequest,
  type PlannedMigration,
  plannedMigration,
  specOf,
} from './planned-migration.ts';
import { promisesOf } from './promises.ts';
import type { PlannedTarget, TargetVerdict } from './target-schemas.ts';
import { targetVerdictOf } from './target-verdict.ts';
import { isGuaranteed, withoutGuarantee } from './virtual-estimate.ts';

/** What migrations need of the daemon, and whom they tell. */
export interface MigrationParts {
  readonly host: Host;
  readonly guests: Guests;
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
  readonly views: JobViews<'migration'>;
  readonly #cancelled = new Set<string>();
  readonly #parts: MigrationParts;

  constructor(parts: MigrationParts) {
    this.#parts = parts;
    this.views = new JobViews('migration', parts.events, (id) => this.#cancelled.delete(id));
  }

  /**
   * What an earlier process had begun and not ended. Its record says how it ended as far as the journals know.
   * @returns the records
   */
  settle(settlements: readonly Settlement[]): readonly MigrationRecord[] {
    const { eventLog, log } = this.#parts;
    for (const { id, record, unguaranteed, target } of eventLog.past.records) {
      this.#remember(id, record, target);
      this.views.update(id, { unguaranteed });
    }
    return [...eventLog.past.unfinished].map(([id, { metadata, to, target }]) => {
      const { owner, why } = fateOf(metadata.guest.name, settlements);
      const course = cutShort(`this daemon was killed meanwhile; ${why}`, owner);
      const record = migrationRecord(metadata, course);
      eventLog.write({ kind: 'ended', id, record, target });
      this.#remember(id, record, target, to);
      this.#hold(record, target);
      log(...migrationEnded({ migration: id, guest: record.guest.name, peer: to }, record));
      return record;
    });
  }

  /**
   * @throws UsageError all that is wrong with it
   * @throws Failure no such guest, or it is being migrated
   * @throws NotAdmitted it can never run, too many wait already, or it could not be written down
   */
  async create(request: MigrationRequest): Promise<MigrationView> {
    const { guests, admission, computing } = this.#parts;
    const definition = this.insistOnTaking(request.guest);
    const { guest } = definition;
    const migration = plannedMigration(request, definition);
    const { plan, cpu, share } = migration;
    const predicted = await computing.predict({ guest, plan, cpu, share });
    // Another request may have been quicker, or the guest may be gone.
    guests.placeOf(guest.name);
    this.#insistOnFree(guest.name);
    const id = randomUUID();
    const { priority, queueTimeoutMs } = request;
    admission.add({
      ...migration.job(id),
      priority,
      queueTimeoutMs,
      run: (store) => this.#run(id, request, migration, store),
      dropped: (why) => {
        this.#log(id, migrationDropped(logged(id, request), 'cancelled', why));
        this.views.change(id, { state: 'cancelled', why, endedAt: timestamp() });
      },
    });
    this.views.add({
      id,
      guest: guest.name,
      to: request.to.name,
      state: 'waiting',
      why: null,
      createdAt: timestamp(),
      startedAt: null,
      endedAt: null,
      pages: guest.pages,
      predicted,
      target: request.target,
      ...{ progress: null, record: null, targetVerdict: null, promises: null, unguaranteed: null, log: [] },
    });
    return this.views.get(id);
  }

  /** @throws NotFound. @throws Failure it has ended, or its guest has been given away */
  cancel(id: string): MigrationView {
    const view = this.views.get(id);
    const isCancelled = this.#parts.admission.drop(id, 'cancelled') || this.#interrupt(view, 'cancelled');
    if (!isCancelled) throw new Failure(`too late: it is ${view.state}`);
    return this.views.get(id);
  }

  /**
   * What comes before all that takes long.
   * @throws NotFound no such guest @throws Failure it is being migrated
   * @throws NotAdmitted nothing new could be written down
   */
  insistOnTaking(guest: string): GuestDefinition {
    this.#parts.eventLog.insistOnRoom();
    const definition = this.#parts.guests.placeOf(guest);
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
    for (const view of this.views.list()) this.#interrupt(view, why);
  }

  /** @returns whether it runs and its guest has not been given away */
  #interrupt({ id, guest, state }: MigrationView, why: string): boolean {
    try {
      const isInterrupted = state === 'running' && this.#parts.host.cancel(guest, why);
      if (isInterrupted) this.#cancelled.add(id);
      return isInterrupted;
    } catch {
      return false;
    }
  }

  /** @param store where its lease is kept, if it has one */
  async #run(
    id: string,
    request: MigrationRequest,
    migration: PlannedMigration,
    store: LedgerStore | undefined,
  ): Promise<void> {
    const { host, guests, eventLog, events } = this.#parts;
    const { predicted } = this.views.get(id);
    const startedAt = timestamp();
    this.views.change(id, { state: 'running', startedAt });
    this.#log(id, migrationBegun(logged(id, request)));
    try {
      const there = request.to.there();
      const definition = guests.placeOf(request.guest);
      const { guest } = definition;
      const spec = specOf(migration, definition);
      const scenario = `to ${request.to.name}`;
      const metadata = metadataOf(spec, {
        world: 'threads',
        scenario,
        startedAt,
        admission: null,
        predicted,
        environment: environmentOf(spec),
      });
      eventLog.record({ kind: 'begun', id, metadata, to: request.to.name, target: request.target });
      const { course, admission } = await carryOutMigration(
        { id, guest: guest.name, to: there, ...migration, store },
        {
          host,
          events,
          leaves: () => guests.look(),
          progressed: (progress) => this.views.change(id, { progress }),
        },
      ).catch((cause) => ({
        course: cutShort(reasonOf(cause), 'source', this.#cancelled.has(id) ? 'cancelled' : 'failed'),
        admission: null,
      }));
      const record = migrationRecord({ ...metadata, admission }, course);
      eventLog.write({ kind: 'ended', id, record, target: request.target });
      if (request.link) this.#parts.sent(request.link.name, record.link.sentBytes);
      this.#parts.ended(record);
      this.#hold(record, request.target);
      this.#log(id, migrationEnded(logged(id, request), record));
      this.views.change(id, ended(record, request.target));
      void this.#computeUnguaranteed(id, record, spec);
    } catch (cause) {
      this.#log(id, migrationDropped(logged(id, request), 'failed', reasonOf(cause)));
      const endedAt = timestamp();
      this.views.change(id, { state: 'failed', why: reasonOf(cause), endedAt, progress: null });
    } finally {
      guests.look();
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

  /** Writes a line about a migration to the log, and keeps it for those who look at that migration. */
  #log(id: string, [line, about]: ReturnType<typeof migrationBegun>): void {
    this.#parts.log(line, about);
    this.views.update(id, { log: [...this.views.get(id).log, { at: timestamp(), line }] });
  }

  #hold(record: MigrationRecord, target: PlannedTarget | null): void {
    const verdict = targetVerdictOf(record, target);
    if (verdict) this.#parts.held(verdict);
  }

  #remember(
    id: string,
    record: MigrationRecord,
    target: PlannedTarget | null,
    to = record.scenario.replace(/^to /, ''),
  ): void {
    const { startedAt, predicted } = record;
    const end = ended(record, target, new Date(Date.parse(startedAt) + record.totalNs / 1e6));
    const about = { migration: id, guest: record.guest.name, peer: to };
    this.views.add({
      id,
      guest: record.guest.name,
      to,
      createdAt: startedAt,
      startedAt,
      pages: record.guest.pages,
      predicted,
      target,
      unguaranteed: null,
      log: [
        { at: startedAt, line: migrationBegun(about)[0] },
        { at: end.endedAt, line: migrationEnded(about, record)[0] },
      ],
      ...end,
    });
  }
}

function ended(record: MigrationRecord, target: PlannedTarget | null, at = new Date(wallClockMs())) {
  const { outcome, reason } = record;
  return {
    ...{ state: outcome, why: reason, endedAt: at.toISOString(), progress: null, record },
    targetVerdict: targetVerdictOf(record, target),
    promises: promisesOf(record),
  };
}

function logged(migration: string, { guest, to }: MigrationRequest) {
  return { migration, guest, peer: to.name };
}
