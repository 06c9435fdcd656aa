import { Failure, Refusal, reasonOf } from '../../platform/failure.ts';
import { BorrowedSettings, settingsFolder } from '../../qemu/borrowed-settings.ts';
import { absoluteAddress, connectMonitor } from '../../qemu/connect-monitor.ts';
import { isMigrating, type KnownMachine, threadsOf } from '../../qemu/known-machine.ts';
import { type MigrationSettings, readSettings } from '../../qemu/migration-settings.ts';
import { unreadableWith } from '../../qemu/plain-stream.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import { type Reserved, ReservedThreads } from '../../qemu/reserved-threads.ts';
import { QEMU_PAGE_BYTES } from '../../qemu/stream-layout.ts';
import { type MachineEvent, MachineEvents } from './machine-events.ts';
import type { Written } from './machine-journal.ts';
import { dumpMemory } from './memory-dump.ts';

/** What `query-migrate` says. */
interface QueryMigrate {
  readonly status?: string;
  readonly 'blocked-reasons'?: readonly string[];
  readonly ram?: {
    readonly remaining: number;
    readonly transferred: number;
    readonly duplicate: number;
    readonly normal: number;
    readonly 'dirty-sync-count': number;
    readonly 'postcopy-requests': number;
  };
}

/** Pages that QEMU has written into its stream, those that it knows to be dirty, and how often it has asked its dirty log. */
export interface PageCounters {
  readonly writtenPages: number;
  readonly dirtyPages: number;
  readonly syncs: number;
  /** Requests for pages that QEMU has heard. */
  readonly requests: number;
}

/** Without it nobody can tell QEMU's threshold, so that it cannot be asked for pages (8.2). */
const SWITCHOVER_BANDWIDTH = 'avail-switchover-bandwidth';

/** QEMU's limit of its rate at which nothing passes but what is asked for; 0 would be no limit. */
const STANDSTILL_BYTES_PER_SECOND = 10;
/** The longest downtime limit that QEMU takes. */
const LONGEST_LIMIT_MS = 2_000_000;

/**
 * Below so many pending bytes QEMU asks its dirty log, and may stop: the bandwidth that it is told to expect at the stop times its downtime
 * limit, whatever it has measured (migration.c, migration_update_counters).
 */
export const thresholds = {
  /** Not even if nothing is pending. */
  never: { [SWITCHOVER_BANDWIDTH]: QEMU_PAGE_BYTES * 1_000, 'downtime-limit': 0 },
  /** A page: if nothing is pending. */
  nothing: { [SWITCHOVER_BANDWIDTH]: QEMU_PAGE_BYTES * 1_000, 'downtime-limit': 1 },
  /** Whatever is pending: 131 TB. */
  any: { [SWITCHOVER_BANDWIDTH]: 65_536_000, 'downtime-limit': LONGEST_LIMIT_MS },
} as const;
type Threshold = (typeof thresholds)[keyof typeof thresholds];

const wanted: MigrationSettings = {
  capabilities: { 'return-path': true, events: true, 'switchover-ack': true },
  parameters: {
    'max-bandwidth': STANDSTILL_BYTES_PER_SECOND,
    ...thresholds.never,
  },
};

/** A machine that somebody else has started, as the source of its migration: what is asked of its monitor. */
export class SourceMachine {
  readonly socket: string;
  /** Where is written down what whoever comes after us needs to know, if we are killed. */
  readonly journals: string;
  readonly events: MachineEvents;
  readonly qmp: Qmp;
  /** What its threads have of the processors meanwhile. */
  reserved: ReservedThreads | undefined;
  #settings: BorrowedSettings | undefined;
  #threshold: Threshold = thresholds.never;

  private constructor(socket: string, qmp: Qmp, journals: string) {
    this.journals = journals;
    this.socket = socket;
    this.qmp = qmp;
    this.events = new MachineEvents(qmp);
  }

  /**
   * @param socket where its monitor listens
   * @param journals the folder in which its settings are written down before they are changed, and how far it has come; without it, one
   * in /tmp
   * @throws Refusal it cannot be moved under a plan, and what to change; nothing has been changed
   */
  static async open(socket: string, journals = settingsFolder()): Promise<SourceMachine> {
    const qmp = await connectMonitor(socket);
    try {
      await insistOnPlainStream(socket, qmp);
      return new SourceMachine(socket, qmp, journals);
    } catch (cause) {
      qmp.close();
      throw cause;
    }
  }

  /** CPU time for its threads, until the end. @throws Refusal it cannot be had; nothing has been changed */
  async reserve(reserved: Reserved): Promise<void> {
    if (!reserved.guest && !reserved.sender) return;
    const where = { socket: this.socket, folder: this.journals };
    this.reserved = await ReservedThreads.reserve(this.qmp, reserved, where);
  }

  /** Sets it up for a migration through us, which stands still at first. */
  async borrow(): Promise<void> {
    const where = { socket: this.socket, folder: this.journals };
    this.#settings = await BorrowedSettings.borrow(this.qmp, wanted, where);
    this.#threshold = thresholds.never;
  }

  /** Once no migration goes on: its settings are as they were. */
  async restore(): Promise<void> {
    const settings = this.#settings;
    this.#settings = undefined;
    await settings?.restore();
  }

  async begin(uri: string): Promise<void> {
    await this.qmp.execute('migrate', { uri });
  }

  /** Whether it writes as fast as its stream is read, or nothing but what is asked for. */
  letRun(isRunning: boolean): Promise<void> {
    return this.#set({ 'max-bandwidth': isRunning ? 0 : STANDSTILL_BYTES_PER_SECOND });
  }

  /** It takes effect within 100 ms. */
  async setThreshold(threshold: Threshold): Promise<void> {
    if (this.#threshold === threshold) return;
    this.#threshold = threshold;
    await this.#set(threshold);
  }

  /** @throws Failure there is no migration */
  async counters(): Promise<PageCounters> {
    const { ram } = await this.qmp.execute<QueryMigrate>('query-migrate');
    if (!ram) throw new Failure('QEMU says nothing of its migration');
    return {
      writtenPages: ram.duplicate + ram.normal,
      dirtyPages: Math.ceil(ram.remaining / QEMU_PAGE_BYTES),
      syncs: ram['dirty-sync-count'],
      requests: ram['postcopy-requests'],
    };
  }

  written(): Promise<Written> {
    return writtenBy(this.qmp);
  }

  /** What is written down of it. */
  async known(): Promise<KnownMachine> {
    return { socket: absoluteAddress(this.socket), machine: await threadsOf(this.qmp) };
  }

  async isRunning(): Promise<boolean> {
    return (await this.qmp.execute<{ readonly running: boolean }>('query-status')).running;
  }

  async name(): Promise<string | undefined> {
    return (await this.qmp.execute<{ readonly name?: string }>('query-name')).name;
  }

  /** @returns how its migration has ended */
  async ended(): Promise<string> {
    const isEnd = ({ name, status = '' }: MachineEvent) => name === 'MIGRATION' && !isMigrating(status);
    // The answer that it goes on and the event that it has ended may arrive at once.
    const end = this.events.next(isEnd);
    const { status = 'none' } = await this.qmp.execute<QueryMigrate>('query-migrate');
    return isMigrating(status) ? (await end).status! : status;
  }

  async cancel(): Promise<void> {
    await this.qmp.execute('migrate_cancel');
  }

  dumpMemory(file: string): Promise<void> {
    return dumpMemory(this.qmp, file);
  }

  /** Once no migration goes on: all is as before. @returns what is not, and why */
  async end(): Promise<readonly string[]> {
    const restored = await Promise.allSettled([this.reserved?.restore(), this.restore()]);
    this.qmp.close();
    return restored.flatMap((one) => (one.status === 'rejected' ? [reasonOf(one.reason)] : []));
  }

  async #set(parameters: Readonly<Record<string, number>>): Promise<void> {
    await this.qmp.execute('migrate-set-parameters', parameters);
  }
}

/** What its last migration has written: final as soon as the destination has everything. */
export async function writtenBy(qmp: Qmp): Promise<Written> {
  const { ram } = await qmp.execute<QueryMigrate>('query-migrate');
  if (!ram) throw new Failure('QEMU says nothing of its migration');
  return { pages: ram.duplicate + ram.normal, syncs: ram['dirty-sync-count'], bytes: ram.transferred };
}

/** Of a machine that is to be moved or rehearsed. @throws Refusal all that is in the way */
export async function insistOnPlainStream(socket: string, qmp: Qmp): Promise<void> {
  const { capabilities, parameters } = await readSettings(qmp);
  const { status = 'none', 'blocked-reasons': blocked = [] } =
    await qmp.execute<QueryMigrate>('query-migrate');
  const isOn = unreadableWith.filter((name) => capabilities[name] === true);
  const problems = [
    ...isOn.map((name) => `the migration capability ${name} must be off`),
    ...(parameters['tls-creds'] ? ['the migration parameter tls-creds must be empty'] : []),
    ...(isMigrating(status) ? [`another migration is under way (${status})`] : []),
    ...blocked,
    ...(SWITCHOVER_BANDWIDTH in parameters ? [] : ['QEMU 8.2 or later is needed']),
  ];
  if (problems.length === 0) return;
  throw new Refusal(`${socket}: this machine cannot be moved under a plan: ${problems.join('; ')}`);
}
