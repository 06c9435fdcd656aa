import type { Owner } from '../../core/migration/migration-result.ts';
import type { Plan } from '../../core/migration/plan.ts';
import type { Nanos } from '../../core/units.ts';
import type { End } from '../../core/wire/handover.ts';
import { Failure } from '../../platform/failure.ts';
import type { Interruption } from '../../transport/interruption.ts';
import type { TakenOver } from '../../transport/payloads.ts';
import type { SourceJournal } from '../../transport/source-journal.ts';
import { Watchdog } from '../../transport/watchdog.ts';
import type { SourceGuest } from './source-guest.ts';

/**
 * Which end owns the guest, as far as its source knows. Up to the commit the source does. Nothing can happen between the
 * last check for an interruption and the commit, so a migration cannot be cancelled once the guest is handed over.
 */
export class SourceOwnership {
  readonly #guest: SourceGuest;
  readonly #journal: SourceJournal;
  readonly #interruption: Interruption;
  readonly #watchdog: Watchdog;
  #owner: Owner = 'source';
  #isKept = false;
  #isReleased = false;

  constructor(guest: SourceGuest, plan: Plan, journal: SourceJournal, interruption: Interruption) {
    this.#guest = guest;
    this.#journal = journal;
    this.#interruption = interruption;
    this.#watchdog = new Watchdog(plan, interruption);
  }

  get owner(): Owner {
    return this.#owner;
  }

  /** The guest is paused since then, by the host's clock, and may be only for as long as the plan allows. */
  watch(pausedAtNs: Nanos): void {
    this.#watchdog.arm(pausedAtNs);
  }

  /**
   * Hands the guest over. If the commit was refused, the source still owns it; if it was not answered, neither end may.
   * @returns how it came to run there, and when that was heard
   * @throws Failure it does not run there, as far as is known
   */
  async commit(): Promise<TakenOver & { readonly heardAtNs: Nanos }> {
    this.#watchdog.check();
    this.#interruption.check();
    this.#journal.write('commit');
    this.#endInterruption();
    this.#owner = 'nobody';
    const { result, atNs } = await this.#guest.sender.ask('commit');
    if (result.kind === 'not taken') this.#owner = 'source';
    if (result.kind !== 'running') throw new Failure(result.why);
    this.#owner = 'destination';
    this.#journal.remark('running');
    return { ...result, heardAtNs: atNs };
  }

  /** The migration is given up. The guest goes on at the source if the source still owns it. */
  async keep(why: string, wasPaused: boolean): Promise<void> {
    this.#endInterruption();
    if (this.#owner !== 'source') return;
    // The guest first: it is paused. Only once: from then on its user may pause it.
    if (wasPaused && !this.#isKept) {
      await this.#guest.resume().catch(() => {
        this.#owner = 'nobody';
      });
    }
    this.#isKept = true;
    this.#journal.remark('aborted', why);
  }

  /** Nothing more happens to the migration, wherever it stands. */
  async end(wasPaused: boolean): Promise<void> {
    await this.keep('closed before its end', wasPaused);
    this.#journal.close();
  }

  /** Leaves the guest to its owner. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#guest.release(this.#owner);
  }

  /**
   * Settles who owns the guest after a commit that was not answered. The caller has asked the destination, or read both
   * journals (`switchover recover`).
   * @throws Failure there is none, or the migration has not been closed yet
   */
  async settle(owner: End): Promise<void> {
    if (!this.#isReleased || this.#owner !== 'nobody') {
      throw new Failure(`guest '${this.#guest.guest.name}': nothing to settle`);
    }
    this.#journal.reopen();
    this.#owner = owner;
    this.#isKept = true;
    this.#journal.remark(owner === 'source' ? 'aborted' : 'ended', 'settled by its user');
    if (owner === 'source') await this.#guest.resume();
    await this.#guest.release(owner);
    this.#journal.letGo();
  }

  /** From here on the migration cannot be interrupted. */
  #endInterruption(): void {
    this.#interruption.over();
    this.#watchdog.disarm();
  }
}
