import { randomUUID } from 'node:crypto';
import type { CpuPlan, KeptReservation } from '../core/cpu/cpu-plan.ts';
import { type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { type BytesPerSecond, NANOS_PER_MILLISECOND } from '../core/units.ts';
import { timestamp, wallClockMs } from '../platform/clock.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { environmentOf } from '../run/environment.ts';
import { type LedgerStore, linkRequest } from '../run/lease-client.ts';
import { metadataOf } from '../run/migration-run.ts';
import {
  type RequestedMigration,
  type RequestedMigrationDocument,
  requestedMigration,
} from '../scenario/migration-request.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { Settlement } from '../transport/settlement.ts';
import type { Host } from '../worlds/threads/host.ts';
import type { Admission } from './admission.ts';
import { carryOutMigration, cutShort } from './carry-out-migration.ts';
import type { Computing } from './computing.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import { fateOf, type Guests } from './guests.ts';
import { JobViews } from './job-views.ts';
import type { Log } from './log.ts';
import { migrationBegun, migrationDropped, migrationEnded } from './migration-log.ts';
import type { MigrationView } from './view-schemas.ts';

export interface MigrationRequest {
  readonly guest: string;
  /** As it was asked for, and what that means once its turn has come. */
  readonly to: { readonly name: string; readonly there: () => DestinationThere };
  readonly link: { readonly name: string; readonly capacityBytesPerSecond: BytesPerSecond } | undefined;
  readonly migration: RequestedMigrationDocument;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/** What migrations need of the daemon, and whom they tell. */
export interface MigrationParts {
  readonly host: Host;
  readonly guests: Guests;
  readonly admission: Admission;
  readonly computing: Computing;
  readonly eventLog: EventLog;
  readonly events: Events;
  readonly ended: (record: MigrationRecord) => void;
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
    for (const { id, record } of eventLog.past.records) this.#remember(id, record);
    return [...eventLog.past.unfinished].map(([id, { metadata, to }]) => {
      const { owner, why } = fateOf(metadata.guest.name, settlements);
      const course = cutShort(`this daemon was killed meanwhile; ${why}`, owner);
      const record = migrationRecord(metadata, course);
      eventLog.write({ kind: 'ended', id, record });
      this.#remember(id, record, to);
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
    const { guests, admission, computing, eventLog, log } = this.#parts;
    eventLog.insistOnRoom();
    const { guest, reservation } = guests.placeOf(request.guest);
    this.#insistOnFree(guest.name);
    const migration = requestedMigration(request.migration, guest, reservation, request.link);
    const predicted = await computing.predict({ guest, ...migration });
    // Another request may have been quicker, or the guest may be gone.
    guests.placeOf(guest.name);
    this.#insistOnFree(guest.name);
    const id = randomUUID();
    const { priority, queueTimeoutMs } = request;
    const queueTimeoutNs = queueTimeoutMs === undefined ? null : queueTimeoutMs * NANOS_PER_MILLISECOND;
    const share = migration.share && { ...migration.share, priority, queueTimeoutNs };
    admission.add({
      id,
      kind: 'migration',
      priority,
      queueTimeoutMs,
      cpu: { takes: kept(migration.cpu), beside: listOf(reservation) },
      link: share ? { name: share.link, request: linkRequest(id, migration.plan, share) } : undefined,
      run: (store) => this.#run(id, request, { ...migration, share }, store),
      dropped: (why) => {
        log(...migrationDropped(logged(id, request), 'cancelled', why));
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
      progress: null,
      record: null,
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
    migration: RequestedMigration,
    store: LedgerStore | undefined,
  ): Promise<void> {
    const { host, guests, eventLog, events, log } = this.#parts;
    const { predicted } = this.views.get(id);
    const startedAt = timestamp();
    this.views.change(id, { state: 'running', startedAt });
    log(...migrationBegun(logged(id, request)));
    try {
      const there = request.to.there();
      const { guest, reservation } = guests.placeOf(request.guest);
      const { cpu, plan } = migration;
      const spec = { guest, plan, cpu: { ...cpu, guest: reservation && bare(reservation) } };
      const scenario = `to ${request.to.name}`;
      const metadata = metadataOf(spec, {
        world: 'threads',
        scenario,
        startedAt,
        admission: null,
        predicted,
        environment: environmentOf(spec),
      });
      eventLog.record({ kind: 'begun', id, metadata, to: request.to.name });
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
      eventLog.write({ kind: 'ended', id, record });
      if (request.link) this.#parts.sent(request.link.name, record.link.sentBytes);
      this.#parts.ended(record);
      log(...migrationEnded(logged(id, request), record));
      this.views.change(id, ended(record));
    } catch (cause) {
      log(...migrationDropped(logged(id, request), 'failed', reasonOf(cause)));
      const endedAt = timestamp();
      this.views.change(id, { state: 'failed', why: reasonOf(cause), endedAt, progress: null });
    } finally {
      guests.look();
    }
  }

  #remember(id: string, record: MigrationRecord, to = record.scenario.replace(/^to /, '')): void {
    this.views.add({
      id,
      guest: record.guest.name,
      to,
      createdAt: record.startedAt,
      startedAt: record.startedAt,
      pages: record.guest.pages,
      predicted: record.predicted,
      ...ended(record, new Date(Date.parse(record.startedAt) + record.totalNs / 1e6)),
    });
  }
}

function ended(record: MigrationRecord, at = new Date(wallClockMs())) {
  const { outcome, reason } = record;
  return { state: outcome, why: reason, endedAt: at.toISOString(), progress: null, record };
}

function logged(migration: string, { guest, to }: MigrationRequest) {
  return { migration, guest, peer: to.name };
}

function listOf<T>(one: T | null): readonly T[] {
  return one === null ? [] : [one];
}

function bare({ budgetNs, periodNs }: { budgetNs: number; periodNs: number }) {
  return { budgetNs, periodNs };
}

/** What a sender has reserved, and who keeps it. */
function kept({ sender, scheduler }: Pick<CpuPlan, 'sender' | 'scheduler'>): readonly KeptReservation[] {
  return listOf(sender && { ...sender, scheduler });
}
