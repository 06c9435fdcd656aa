import { NANOS_PER_SECOND } from '../../core/units.ts';
import type { Told } from '../../observe/import/observation.ts';
import { queryMigrate } from '../../observe/import/query-migrate.ts';
import { clockNs, timestamp } from '../../platform/clock.ts';
import { Failure, printable, reasonOf } from '../../platform/failure.ts';
import { connectMonitor } from '../../qemu/connect-monitor.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import type { ToldBesides } from '../prediction/predict-observation.ts';
import { FollowedMigration, type Progress } from './followed-migration.ts';
import type { MonitorEvent, WatchEvent, WatchedEnd, WatchedOutcome } from './watch-event.ts';

/** So often that few syncs fall between two looks. */
const LOOK_EVERY_MS = 250;
/** From the guest's stop to the end: whoever started QEMU may end it soon after. */
const LOOK_AT_END_EVERY_MS = 20;
/** By the look that is nearest to a second after the last one. */
const PROGRESS_EVERY_NS = 0.9 * NANOS_PER_SECOND;
const CONNECT_AGAIN_AFTER_MS = 1_000;

const QUERIES = ['query-migrate', 'query-migrate-parameters', 'query-migrate-capabilities'];
/** Events after which there is something new to ask for; MIGRATION is only reported where somebody asked for it. */
const TELLING = new Set(['STOP', 'RESUME', 'MIGRATION']);
/** No migration goes on. */
const IDLE = new Set(['none', 'completed', 'failed', 'cancelled']);

/** What one look found. */
interface Look {
  readonly status: string;
  readonly told: Told;
}

/**
 * Follows each of them, also those that are not there yet.
 * @throws Failure none of them can be connected to
 * @throws what a `report` throws
 */
export async function followAll(monitors: readonly WatchedMonitor[]): Promise<void> {
  const connecting = monitors.map((monitor) => monitor.connect());
  await Promise.any(connecting).catch(({ errors }: AggregateError) => {
    throw new Failure(errors.map(reasonOf).join('\n'));
  });
  await Promise.all(
    monitors.map(async (monitor, index) => {
      await connecting[index]!.catch((cause: unknown) => monitor.lost(cause));
      await monitor.follow();
    }),
  );
}

/**
 * Follows the migrations out of one QEMU, by its monitor: it only asks, so that whoever migrates is not disturbed. If QEMU
 * ends, it is connected to again as soon as another one is there.
 */
export class WatchedMonitor {
  readonly socket: string;
  readonly #told: ToldBesides;
  readonly #report: (event: WatchEvent) => void;
  #qmp: Qmp | undefined;
  #status: string | null = null;
  /** Why, unless it can be asked. */
  #lostFor: string | undefined;
  #migration: FollowedMigration | undefined;
  #progress: Progress | null = null;
  #toldAtNs = 0;
  #guestIsStopped = false;
  #isClosed = false;
  #wake = () => {};

  /** @param told what is known besides what QEMU says, such as b_d */
  constructor(socket: string, told: ToldBesides, report: (event: WatchEvent) => void) {
    this.socket = socket;
    this.#told = told;
    this.#report = report;
  }

  /** QEMU's word for its latest migration; null: it cannot be asked. */
  get status(): string | null {
    return this.#status;
  }

  /** null: no migration goes on. */
  get progress(): Progress | null {
    return this.#progress;
  }

  /** @throws Failure as `connectMonitor` */
  async connect(): Promise<void> {
    this.#qmp = await connectMonitor(this.socket);
    this.#qmp.listen(({ event }) => {
      if (event === 'STOP' || event === 'RESUME') this.#guestIsStopped = event === 'STOP';
      if (TELLING.has(event)) this.#wake();
    });
  }

  /**
   * Asks again and again, and connects again where that is lost, until it is closed. What `report` throws ends it.
   * @throws what `report` throws
   */
  async follow(): Promise<void> {
    while (!this.#isClosed) {
      const look = await this.#look().catch((cause: Error) => cause);
      // It may have been closed while it was being connected to.
      if (this.#isClosed) return this.#qmp?.close();
      const isLost = look instanceof Error;
      if (isLost) this.lost(look);
      else this.#take(look);
      const isEnding = this.#guestIsStopped && this.#migration !== undefined;
      const lookAgainMs = isEnding ? LOOK_AT_END_EVERY_MS : LOOK_EVERY_MS;
      await this.#pause(isLost ? CONNECT_AGAIN_AFTER_MS : lookAgainMs);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#qmp?.close();
    this.#wake();
  }

  /** It could not be connected to, or cannot be asked any more. Why is told once. */
  lost(cause: unknown): void {
    this.#qmp?.close();
    this.#qmp = undefined;
    this.#status = null;
    this.#guestIsStopped = false;
    const reason = printable(reasonOf(cause));
    if (reason !== this.#lostFor) this.#tell({ event: 'lost', reason });
    this.#lostFor = reason;
    if (this.#migration) this.#end('unknown', reason);
  }

  async #look(): Promise<Look> {
    if (!this.#qmp) await this.connect();
    const qmp = this.#qmp!;
    return lookOf(await Promise.all(QUERIES.map((query) => qmp.execute(query))));
  }

  #take({ status, told }: Look): void {
    const before = this.#status;
    this.#status = status;
    this.#lostFor = undefined;
    if (before === null) this.#tell({ event: 'connected', status });
    const isRunning = !IDLE.has(status);
    // An end that says how long it took is of a migration out of this QEMU. One may fit between two looks.
    const hasBegun = told.samples.length > 0 && (isRunning || (before !== null && before !== status));
    if (!this.#migration && hasBegun) {
      this.#migration = new FollowedMigration();
      this.#tell({ event: 'began' });
    }
    if (!this.#migration) return;
    if (told.samples.length > 0) this.#migration.look(told);
    if (!isRunning) this.#end(status as WatchedOutcome, told.reason ?? null);
    else if (status !== before || clockNs() - this.#toldAtNs >= PROGRESS_EVERY_NS) {
      this.#toldAtNs = clockNs();
      const progress = this.#migration.progress(status, this.#told);
      // In the stop, what is left is no longer what the downtime will be: what was predicted before it stands.
      const { predicted } = (this.#guestIsStopped && this.#progress) || progress;
      this.#progress = { ...progress, predicted };
      this.#tell({ event: 'progress', ...this.#progress });
    }
  }

  #end(outcome: WatchedOutcome, reason: string | null): void {
    const last = this.#migration!.last;
    const isCompleted = outcome === 'completed';
    const end: WatchedEnd = {
      outcome,
      totalNs: isCompleted ? (last?.atNs ?? null) : null,
      downtimeNs: isCompleted ? (last?.downtimeNs ?? null) : null,
      sentBytes: last?.sentBytes ?? null,
      syncs: last?.syncs ?? null,
      reason: reason === null ? null : printable(reason),
    };
    this.#migration = undefined;
    this.#progress = null;
    this.#guestIsStopped = false;
    this.#tell({ event: 'ended', ...end });
  }

  #tell(event: MonitorEvent): void {
    this.#report({ time: timestamp(), monitor: this.socket, ...event });
  }

  /** Until the time is over or QEMU reports something. */
  #pause(ms: number): Promise<void> {
    return new Promise((over) => {
      const timer = setTimeout(over, ms);
      this.#wake = () => {
        clearTimeout(timer);
        over();
      };
      if (this.#isClosed) this.#wake();
    });
  }
}

/** What the three answers say together. */
function lookOf(answers: readonly unknown[]): Look {
  const [migration] = answers as [{ status?: unknown } | null];
  const status = typeof migration?.status === 'string' ? migration.status : 'none';
  const lines = answers.map((answer) => JSON.stringify({ return: answer }));
  return { status: printable(status), told: queryMigrate.read(lines.join('\n')) };
}
