import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { Failure, printable } from '../platform/failure.ts';
import { sleepNs } from '../platform/timer.ts';
import { BorrowedSettings, type Borrowing } from './borrowed-settings.ts';
import { type MigrationSettings, readSettings } from './migration-settings.ts';
import { MigrationThreads } from './migration-threads.ts';
import { plainStreamSettings } from './plain-stream.ts';
import type { Qmp, QmpEvent } from './qmp.ts';
import { RehearsedPages } from './rehearsed-pages.ts';
import { requestPages } from './return-path.ts';
import { PAGE_RECORD_BYTES, QEMU_PAGE_BYTES, QEMU_WINDOW_NS, type RamBlock } from './stream-layout.ts';
import { StreamSink } from './stream-sink.ts';

/** What was written between two dirty syncs, which were at these instants of our clock. */
export interface RehearsedRound {
  readonly fromNs: Nanos;
  readonly untilNs: Nanos;
  /** Numbers among the pages of all blocks, ascending. */
  readonly pages: Uint32Array;
  /** From the second sync until nearly all of them had been sent. */
  readonly sentInNs: Nanos;
}

const WINDOWS_PER_SECOND = 10;

/**
 * Below so many pages QEMU looks for dirty ones again. It takes its limit of downtime times this rate for that; with a limit of
 * 0 it does not look.
 */
const LOOKS_BELOW_PAGES = 16;
const LIMIT_MS = 1;
const THRESHOLD_RATE = (LOOKS_BELOW_PAGES * QEMU_PAGE_BYTES * 1_000) / LIMIT_MS;
/** So many are left over of a round, within that number, so that QEMU may not send more than there is. */
const LEFT_OVER_PAGES = LOOKS_BELOW_PAGES / 2;
/** A rate at which QEMU makes one turn in a window, and sleeps; 0 would be no limit at all. */
const IDLE_RATE = 10;
/** Once all memory, and once all that was taken for dirty then. */
const ROUNDS_BEFORE = 2;
/** If nothing happens for so long, nothing will. */
const SILENCE_MS = 30_000;

/** What QEMU says of its migration, as far as it is read here. */
interface QueryMigrate {
  readonly status?: string;
  readonly 'error-desc'?: string;
  readonly ram?: { readonly remaining: number; readonly normal: number; readonly duplicate: number };
}

/**
 * A migration of somebody's machine to nowhere. What QEMU sends after a dirty sync is what was written before it; that is told,
 * and thrown away. The guest is never stopped, since QEMU waits for a word that is never said (`switchover-ack`, since 8.1). At
 * the end the migration is cancelled, and all settings are as before.
 */
export class Rehearsal {
  /** Of the migration, for what it costs. */
  readonly threads: MigrationThreads;
  readonly #qmp: Qmp;
  readonly #settings: BorrowedSettings;
  readonly #pages = new RehearsedPages();
  #sink: StreamSink | undefined;
  #syncs = 0;
  #syncAtNs: Nanos = 0;
  #syncBeforeNs: Nanos = 0;
  #arrivedAtSync = 0;
  #ended: Error | undefined;
  #changed = () => {};

  private constructor(qmp: Qmp, settings: BorrowedSettings, threads: MigrationThreads) {
    this.#qmp = qmp;
    this.#settings = settings;
    this.threads = threads;
  }

  /**
   * Begins, and goes on until all memory has been sent and a dirty sync has said what was written meanwhile.
   * @param borrowing the socket of `qmp`, and where its settings are written down
   * @throws Failure it migrates already, is older than 8.2, or cannot migrate; or `signal`. Its settings are as before
   */
  static async begin(qmp: Qmp, borrowing: Borrowing, signal: AbortSignal): Promise<Rehearsal> {
    const settings = await BorrowedSettings.borrow(qmp, wantedOf(await readSettings(qmp)), borrowing);
    const rehearsal = new Rehearsal(qmp, settings, await MigrationThreads.before(qmp));
    const giveUp = () => rehearsal.#end(new Failure('interrupted before all memory had been sent once'));
    signal.addEventListener('abort', giveUp);
    try {
      if (signal.aborted) giveUp();
      await rehearsal.#begin();
      return rehearsal;
    } catch (cause) {
      await rehearsal.end();
      throw cause;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** All of the machine's RAM, also what is firmware. */
  get blocks(): readonly RamBlock[] {
    return this.#pages.blocksSeen;
  }

  get memoryPages(): number {
    return this.#pages.memoryPages;
  }

  /** Of the memory, when it was sent as a whole. */
  get zeroPages(): number {
    return this.#pages.zeroAtFirst;
  }

  /**
   * What is written from now on, round by round, each at least nearly as long as the interval. It never ends by itself.
   * @param signal ends the round that goes on early
   * @throws Failure the migration has ended: somebody cancelled it, or QEMU has ended
   */
  async *rounds(intervalNs: Nanos, signal: AbortSignal): AsyncGenerator<RehearsedRound> {
    // What the last sync has found was written before now.
    await this.#next(intervalNs, signal);
    this.#pages.take();
    for (let fromNs = this.#syncBeforeNs; ; ) {
      const sentInNs = await this.#next(intervalNs, signal);
      const untilNs = this.#syncBeforeNs;
      // QEMU may look at once again if it has little to send.
      if (untilNs - fromNs < intervalNs - QEMU_WINDOW_NS / 2 && !signal.aborted) continue;
      yield { fromNs, untilNs, pages: this.#pages.take(), sentInNs };
      fromNs = untilNs;
    }
  }

  /** Lets what the last sync has found arrive, until the next sync. @returns how long it took to arrive */
  async #next(intervalNs: Nanos, signal: AbortSignal): Promise<Nanos> {
    const syncs = this.#syncs;
    const sentInNs = await this.#drain(intervalNs);
    await this.#hold(intervalNs, signal);
    await this.#until(() => this.#syncs > syncs);
    return sentInNs;
  }

  /** Cancels it. @throws Failure the settings could not be restored; `recover` will */
  async end(): Promise<void> {
    await this.#qmp.execute('migrate_cancel').catch(() => {});
    this.#sink?.close();
    await this.#settings.restore();
  }

  async #begin(): Promise<void> {
    this.#qmp.listen((event) => this.#take(event));
    this.#sink = await StreamSink.open(this.#pages, {
      heard: () => this.#changed(),
      ended: (why) => void this.#endFor(why),
    });
    await this.#qmp.execute('migrate', { uri: this.#sink.uri });
    for (let round = 1; round <= ROUNDS_BEFORE; round++) {
      await this.#until(() => this.#syncs >= round && this.blocks.length > 0);
      await this.#drain(QEMU_WINDOW_NS);
    }
    await this.#until(() => this.#syncs > ROUNDS_BEFORE);
  }

  /**
   * Lets QEMU send what its last sync has found, almost all of it and no more, and not look again before the interval's end.
   * @returns how long that took, from the sync on
   */
  async #drain(intervalNs: Nanos): Promise<Nanos> {
    const [syncs, syncAtNs] = [this.#syncs, this.#syncAtNs];
    const { ram } = await this.#qmp.execute<QueryMigrate>('query-migrate');
    const left = (ram?.remaining ?? 0) / QEMU_PAGE_BYTES - LEFT_OVER_PAGES;
    if (ram && left > LEFT_OVER_PAGES) {
      const goal = ram.normal + ram.duplicate + left;
      // What has been sent since the sync counts in this window too.
      const windowBytes = (goal - this.#arrivedAtSync) * (QEMU_PAGE_BYTES + PAGE_RECORD_BYTES);
      await this.#set({ 'max-bandwidth': windowBytes * WINDOWS_PER_SECOND });
      // It sleeps until its window is over, unless somebody asks for a page, be it a clean one.
      this.#sink!.say(requestPages(this.blocks[0]!.name, 0, 1));
      await this.#until(() => this.#pages.arrived >= goal || this.#syncs > syncs);
    }
    const sentInNs = clockNs() - syncAtNs;
    await this.#set({ 'max-bandwidth': IDLE_RATE, 'downtime-limit': looksAgain(intervalNs) ? LIMIT_MS : 0 });
    return sentInNs;
  }

  /** Until the last window of the interval, in which QEMU is let look again. */
  async #hold(intervalNs: Nanos, signal: AbortSignal): Promise<void> {
    if (looksAgain(intervalNs)) return;
    const waitNs = this.#syncAtNs + intervalNs - QEMU_WINDOW_NS / 2 - clockNs();
    if (waitNs > 0) await sleepNs(waitNs, { signal }).catch(() => {});
    await this.#set({ 'downtime-limit': LIMIT_MS });
  }

  async #set(parameters: MigrationSettings['parameters']): Promise<void> {
    await this.#qmp.execute('migrate-set-parameters', parameters);
  }

  #take({ event }: QmpEvent): void {
    if (event === 'MIGRATION_PASS') {
      this.#syncs += 1;
      this.#syncBeforeNs = this.#syncAtNs;
      this.#syncAtNs = clockNs();
      this.#arrivedAtSync = this.#pages.arrived;
    }
    this.#changed();
  }

  /** The stream is over, or cannot be read. Who ended it, QEMU says. */
  async #endFor(why: Error): Promise<void> {
    const { status = 'none', 'error-desc': reason = '' } = await this.#qmp
      .execute<QueryMigrate>('query-migrate')
      .catch((): QueryMigrate => ({}));
    const isOver = status === 'cancelled' || status === 'cancelling' || status === 'failed';
    const said = printable([status, reason].filter((text) => text !== '').join(', '));
    this.#end(isOver ? new Failure(`the migration to nowhere was ended by others: ${said}`) : why);
  }

  #end(why: Error): void {
    this.#ended ??= why;
    this.#changed();
  }

  /** @throws Failure it has ended, or nothing happens any more */
  async #until(holds: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      while (!holds()) {
        if (this.#ended) throw this.#ended;
        await new Promise<void>((resolve, reject) => {
          this.#changed = resolve;
          clearTimeout(timer);
          timer = setTimeout(
            () => reject(new Failure(`QEMU has sent nothing for ${SILENCE_MS / 1e3} s`)),
            SILENCE_MS,
          );
        });
      }
    } finally {
      clearTimeout(timer);
      this.#changed = () => {};
    }
  }
}

/** Whether QEMU may look again in its very next window. */
function looksAgain(intervalNs: Nanos): boolean {
  return intervalNs < 2 * QEMU_WINDOW_NS;
}

/** @throws Failure this version has no acknowledgement to wait for, or measures its threshold */
function wantedOf(now: MigrationSettings): MigrationSettings {
  const waits = now.capabilities['switchover-ack'] !== undefined;
  if (!waits || now.parameters['avail-switchover-bandwidth'] === undefined) {
    throw new Failure('this QEMU is too old: a rehearsal needs 8.2 or newer, or its guest could be stopped');
  }
  const plain = plainStreamSettings(now);
  // A guest that does not converge, as this never does, would be throttled.
  const throttling = ['auto-converge', 'dirty-limit'].filter((name) => now.capabilities[name] === true);
  return {
    capabilities: {
      ...plain.capabilities,
      ...Object.fromEntries(throttling.map((name) => [name, false])),
      ...{ events: true, 'return-path': true, 'switchover-ack': true },
    },
    parameters: {
      ...plain.parameters,
      'max-bandwidth': IDLE_RATE,
      'avail-switchover-bandwidth': THRESHOLD_RATE,
      'downtime-limit': LIMIT_MS,
    },
  };
}
