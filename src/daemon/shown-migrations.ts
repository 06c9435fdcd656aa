import type { MigrationRecord } from '../core/migration/record.ts';
import { timestamp, wallClockMs } from '../platform/clock.ts';
import type { Events } from './events.ts';
import { JobViews } from './job-views.ts';
import type { Log } from './log.ts';
import { type Entry, migrationBegun, migrationDropped, migrationEnded } from './migration-log.ts';
import type { MigrationView } from './migration-schemas.ts';
import type { MigrationRequest } from './planned-migration.ts';
import { promisesOf } from './promises.ts';
import type { PlannedTarget } from './target-schemas.ts';
import { targetVerdictOf } from './target-verdict.ts';

type Asked = Pick<MigrationView, 'id' | 'pages' | 'predicted'>;

/** What is shown and logged of the migrations from here. */
export class ShownMigrations extends JobViews<'migration'> {
  readonly #log: Log;

  constructor(events: Events, log: Log, forgotten: (id: string) => void) {
    super('migration', events, forgotten);
    this.#log = log;
  }

  asked({ guest, to, target }: MigrationRequest, { id, pages, predicted }: Asked): void {
    this.add({
      ...{ id, guest, to: to.name, state: 'waiting', why: null },
      ...{ createdAt: timestamp(), startedAt: null, endedAt: null },
      ...{ pages, predicted, target, progress: null, record: null, targetVerdict: null },
      ...{ promises: null, unguaranteed: null, log: [] },
    });
  }

  begun(id: string, startedAt: string): void {
    this.change(id, { state: 'running', startedAt });
    this.#note(id, migrationBegun(this.#about(id)));
  }

  dropped(id: string, state: 'cancelled' | 'failed', why: string): void {
    this.#note(id, migrationDropped(this.#about(id), state, why));
    this.change(id, { state, why, endedAt: timestamp(), progress: null });
  }

  ended(id: string, record: MigrationRecord): void {
    this.#note(id, migrationEnded(this.#about(id), record));
    this.change(id, endOf(record, this.get(id).target));
  }

  /** One that ended before this process began, or with the one before it. */
  remember(
    id: string,
    record: MigrationRecord,
    target: PlannedTarget | null,
    to = record.scenario.replace(/^to /, ''),
  ): void {
    const { startedAt, predicted, guest } = record;
    const end = endOf(record, target, new Date(Date.parse(startedAt) + record.totalNs / 1e6));
    const about = { migration: id, guest: guest.name, peer: to };
    const log = [
      { at: startedAt, line: migrationBegun(about)[0] },
      { at: end.endedAt, line: migrationEnded(about, record)[0] },
    ];
    this.add({
      ...{ id, guest: guest.name, to, createdAt: startedAt, startedAt, pages: guest.pages },
      ...{ predicted, target, unguaranteed: null, log, ...end },
    });
  }

  /** Writes a line about a migration to the log, and keeps it for those who look at that migration. */
  #note(id: string, [line, about]: Entry): void {
    this.#log(line, about);
    this.update(id, { log: [...this.get(id).log, { at: timestamp(), line }] });
  }

  #about(id: string) {
    const { guest, to } = this.get(id);
    return { migration: id, guest, peer: to };
  }
}

function endOf(record: MigrationRecord, target: PlannedTarget | null, at = new Date(wallClockMs())) {
  const { outcome, reason } = record;
  return {
    ...{ state: outcome, why: reason, endedAt: at.toISOString(), progress: null, record },
    targetVerdict: targetVerdictOf(record, target),
    promises: promisesOf(record),
  };
}
