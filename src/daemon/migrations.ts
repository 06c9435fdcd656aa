import { randomUUID } from 'node:crypto';
import { idleLink } from '../core/link/account.ts';
import { downtimeParts, type MigrationResult } from '../core/migration/migration-result.ts';
import { type MigrationRecord, migrationRecord, type RunMetadata } from '../core/migration/record.ts';
import type { BytesPerSecond } from '../core/units.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { drive } from '../run/drive.ts';
import { predictedOf } from '../run/predict.ts';
import { type RequestedMigration, requestedMigration } from '../scenario/migration-request.ts';
import type { DestinationThere } from '../transport/connect.ts';
import type { Settlement } from '../transport/recover.ts';
import type { Host } from '../worlds/threads/host.ts';
import type { Admission } from './admission.ts';
import type { EventLog } from './event-log.ts';
import type { Events } from './events.ts';
import { fateOf, type Guests } from './guests.ts';
import { History } from './history.ts';
import { startLiveSampler } from './live-sampler.ts';
import { type Progress, ProgressOfSteps } from './progress.ts';

export interface MigrationRequest {
  readonly guest: string;
  /** As it was asked for, and what that means. */
  readonly to: { readonly name: string; readonly there: DestinationThere };
  readonly link: { readonly name: string; readonly capacityBytesPerSecond: BytesPerSecond } | undefined;
  /** The scenario's link, migration, sender, cpu and background. */
  readonly migration: unknown;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/** A migration as the API shows it. */
export interface MigrationView {
  readonly id: string;
  readonly guest: string;
  readonly to: string;
  readonly state: 'waiting' | 'running' | MigrationResult['outcome'];
  readonly why: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly pages: number;
  readonly predicted: RunMetadata['predicted'];
  readonly progress: Progress | null;
  readonly record: MigrationRecord | null;
}

/** What migrations need of the daemon, and whom they tell. */
export interface MigrationParts {
  readonly host: Host;
  readonly guests: Guests;
  readonly admission: Admission;
  readonly eventLog: EventLog;
  readonly events: Events;
  readonly ended: (record: MigrationRecord) => void;
  readonly sent: (link: string, bytes: number) => void;
}

interface Kept {
  view: MigrationView;
  isCancelled: boolean;
}

/** Migrations of guests that live here to other hosts: asked for, waiting, running, ended. */
export class Migrations {
  readonly #kept = new History<Kept>({ most: 200, hasEnded: ({ view }) => view.endedAt !== null });
  readonly #parts: MigrationParts;

  constructor(parts: MigrationParts) {
    this.#parts = parts;
  }

  list(): readonly MigrationView[] {
    return this.#kept.all().map(({ view }) => view);
  }

  get(id: string): MigrationView | undefined {
    return this.#kept.get(id)?.view;
  }

  /**
   * What an earlier process had begun and not ended. Its record says how it ended as far as the journals know.
   * @returns the records
   */
  settle(settlements: readonly Settlement[]): readonly MigrationRecord[] {
    const { eventLog } = this.#parts;
    for (const { id, record } of eventLog.past.records) this.#remember(id, record);
    return [...eventLog.past.unfinished].map(([id, { metadata, to }]) => {
      const { owner, why } = fateOf(metadata.guest.name, settlements);
      const course = cutShort(`this daemon was killed meanwhile; ${why}`, owner);
      const record = migrationRecord(metadata, course);
      eventLog.write({ kind: 'ended', id, record });
      this.#remember(id, record, to);
      return record;
    });
  }

  /**
   * @throws UsageError all that is wrong with it
   * @throws Failure no such guest, or it is being migrated
   * @throws NotAdmitted too many wait already
   */
  create(request: MigrationRequest): MigrationView {
    const { guests, admission } = this.#parts;
    const { guest, reservation } = guests.placeOf(request.guest);
    const busy = this.#kept.all().find(({ view }) => view.guest === guest.name && view.endedAt === null);
    if (busy) throw new Failure(`guest '${guest.name}' is in migration ${busy.view.id} already`);
    const migration = requestedMigration(request.migration, guest, reservation);
    const predicted = predictedOf({ guest, ...migration });
    const id = randomUUID();
    const kept: Kept = {
      isCancelled: false,
      view: {
        id,
        guest: guest.name,
        to: request.to.name,
        state: 'waiting',
        why: null,
        createdAt: new Date().toISOString(),
        startedAt: null,
        endedAt: null,
        pages: guest.pages,
        predicted,
        progress: null,
        record: null,
      },
    };
    const { rateBytesPerSecond: b, stopRateBytesPerSecond: bd } = migration.plan;
    const { link } = request;
    admission.add(
      {
        id,
        kind: 'migration',
        priority: request.priority,
        queueTimeoutMs: request.queueTimeoutMs,
        link: link && {
          name: link.name,
          bytesPerSecond: Math.max(b ?? link.capacityBytesPerSecond, bd ?? link.capacityBytesPerSecond),
        },
        run: () => this.#run(kept, request, migration),
        dropped: (why) => this.#change(kept, { state: 'cancelled', why, endedAt: new Date().toISOString() }),
      },
      link?.capacityBytesPerSecond,
    );
    this.#kept.add(id, kept);
    this.#publish(kept);
    return kept.view;
  }

  /** @returns whether it will be cancelled: not once the guest has been given away */
  cancel(id: string, why = 'cancelled'): boolean {
    const { admission, host } = this.#parts;
    if (admission.drop(id, why)) return true;
    const kept = this.#kept.get(id);
    if (kept?.view.state !== 'running') return false;
    try {
      kept.isCancelled = host.cancel(kept.view.guest, why);
      return kept.isCancelled;
    } catch {
      return false;
    }
  }

  cancelAll(why: string): void {
    for (const { id } of this.list()) this.cancel(id, why);
  }

  async #run(kept: Kept, request: MigrationRequest, migration: RequestedMigration): Promise<void> {
    const { guests, eventLog } = this.#parts;
    const { id, predicted } = kept.view;
    const startedAt = new Date().toISOString();
    this.#change(kept, { state: 'running', startedAt });
    try {
      const { guest, reservation } = guests.placeOf(request.guest);
      const { cpu, plan } = migration;
      const { reclaim: _, ...reservations } = { ...cpu, guest: reservation && bare(reservation) };
      const metadata: RunMetadata = {
        world: 'threads',
        scenario: `to ${request.to.name}`,
        seed: plan.seed,
        startedAt,
        guest: { name: guest.name, pages: guest.pages, pageSizeBytes: guest.pageSizeBytes },
        plan,
        reservations,
        antagonists: [],
        admission: null,
        predicted,
      };
      eventLog.write({ kind: 'begun', id, metadata, to: request.to.name });
      // What fails or is cancelled while it is set up is thrown, and has left nothing behind.
      const course = await this.#carryOut(kept, request, migration).catch((cause) =>
        cutShort(reasonOf(cause), 'source', kept.isCancelled ? 'cancelled' : 'failed'),
      );
      const record = migrationRecord(metadata, course);
      eventLog.write({ kind: 'ended', id, record });
      if (request.link) this.#parts.sent(request.link.name, record.link.sentBytes);
      this.#parts.ended(record);
      this.#change(kept, ended(record));
    } catch (cause) {
      const endedAt = new Date().toISOString();
      this.#change(kept, { state: 'failed', why: reasonOf(cause), endedAt, progress: null });
    } finally {
      guests.look();
    }
  }

  async #carryOut(
    kept: Kept,
    { guest, to }: MigrationRequest,
    { plan, cpu }: RequestedMigration,
  ): Promise<MigrationResult> {
    const { host, guests, events } = this.#parts;
    const beginning = host.migrate(guest, { plan, cpu }, to.there);
    // It is leaving from now on, also while the destination is still being asked.
    guests.look();
    const world = await beginning;
    const progress = new ProgressOfSteps();
    const endPulse = startLiveSampler(kept.view.id, world, events);
    try {
      return await drive(plan, world, (step, seen) => {
        if (progress.see(step, seen)) this.#change(kept, { progress: progress.shown });
      });
    } finally {
      endPulse();
      await world.close();
    }
  }

  #remember(id: string, record: MigrationRecord, to = record.scenario.replace(/^to /, '')): void {
    const view: MigrationView = {
      id,
      guest: record.guest.name,
      to,
      createdAt: record.startedAt,
      startedAt: record.startedAt,
      pages: record.guest.pages,
      predicted: record.predicted,
      ...ended(record, new Date(Date.parse(record.startedAt) + record.totalNs / 1e6)),
    };
    this.#kept.add(id, { view, isCancelled: false });
  }

  #change(kept: Kept, change: Partial<MigrationView>): void {
    kept.view = { ...kept.view, ...change };
    this.#publish(kept);
  }

  #publish({ view }: Kept): void {
    this.#parts.events.publish({ kind: 'migration', id: view.id, value: view });
  }
}

function ended(record: MigrationRecord, at = new Date()) {
  const { outcome, reason } = record;
  return { state: outcome, why: reason, endedAt: at.toISOString(), progress: null, record };
}

function bare({ budgetNs, periodNs }: { budgetNs: number; periodNs: number }) {
  return { budgetNs, periodNs };
}

/** A migration of which nothing more is known than why it ended. */
function cutShort(
  reason: string,
  owner: MigrationResult['owner'],
  outcome: MigrationResult['outcome'] = 'failed',
): MigrationResult {
  return {
    outcome,
    reason,
    owner,
    rounds: [],
    stop: { pages: 0, bytes: 0, durationNs: 0 },
    downtimeNs: 0,
    downtimeParts: downtimeParts(),
    totalNs: 0,
    outage: null,
    verified: { memory: 'not-checked', continued: 'not-checked' },
    servers: [],
    link: idleLink(0),
    notes: [],
  };
}
