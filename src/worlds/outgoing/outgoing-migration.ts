import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { Measurements, Outage, Verification } from '../../core/migration/migration-result.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Plan } from '../../core/migration/plan.ts';
import type { HandoverReached, Step, StepResult } from '../../core/migration/steps.ts';
import type { Nanos } from '../../core/units.ts';
import type { End } from '../../core/wire/handover.ts';
import { clockNs, timestamp } from '../../platform/clock.ts';
import { reasonOf } from '../../platform/failure.ts';
import { sleepNs } from '../../platform/timer.ts';
import type { DestinationThere } from '../../transport/address.ts';
import { Interruption } from '../../transport/interruption.ts';
import type { LinkStatus } from '../../transport/sender-thread.ts';
import { SourceJournal } from '../../transport/source-journal.ts';
import { unsentNotes } from '../../transport/unsent/unsent-thread.ts';
import { insistOnRoomForPage } from '../../transport/wire-bytes.ts';
import type { World } from '../world.ts';
import type { DirtyPages, PausedGuest, SourceGuest } from './source-guest.ts';
import { SourceOwnership } from './source-ownership.ts';
import { instantsOf } from './taken-over.ts';

export interface OutgoingMigrationOptions {
  /** A random name, by which both ends keep their journals. */
  readonly migration: string;
  readonly plan: Plan;
  readonly to: DestinationThere;
  /** The folder where a journal is kept, if any. */
  readonly journals?: string | undefined;
  /** By which others end it, also while it begins. */
  readonly interruption?: Interruption;
  /** What was started for this migration alone, and ends with it: the last one first. */
  readonly parts?: readonly { end(): Promise<unknown> }[];
}

/**
 * The source end of one migration, as a world, over a guest of any kind.
 * Up to the commit it may be cancelled, and whatever goes wrong, the guest goes on here as it was, running or paused.
 */
export class OutgoingMigration implements World {
  readonly startedAt = timestamp();
  readonly #guest: SourceGuest;
  readonly #journal: SourceJournal;
  readonly #interruption: Interruption;
  readonly #ownership: SourceOwnership;
  readonly #parts: readonly { end(): Promise<unknown> }[];
  readonly #isTlsOff: boolean;
  readonly #beganAtNs = clockNs();
  /** By the host's clock; undefined: it was not paused for this migration. */
  #pausedAtNs: Nanos | undefined;
  #paused: PausedGuest | undefined;
  #verified: Verification = { memory: 'not-checked', continued: 'not-checked' };
  #handover: HandoverReached = {};
  #windowBeganAtNs: Nanos | undefined;
  readonly #notes: string[] = [];

  private constructor(
    guest: SourceGuest,
    { plan, to, parts = [] }: OutgoingMigrationOptions,
    interruption: Interruption,
    journal: SourceJournal,
  ) {
    this.#guest = guest;
    this.#journal = journal;
    this.#interruption = interruption;
    this.#ownership = new SourceOwnership(guest, plan, journal, interruption);
    this.#parts = parts;
    this.#isTlsOff = to.tls === 'off';
    // A guest may have lived here for long, and may have been migrated in vain before.
    for (const processors of guest.processors) processors.beginAccount();
  }

  /**
   * Connects to the destination and tells it of the guest.
   * @throws Failure that is not possible, or was interrupted; the sender has ended, guest and parts are the caller's
   */
  static async begin(guest: SourceGuest, options: OutgoingMigrationOptions): Promise<OutgoingMigration> {
    const { migration, to, journals, interruption = new Interruption() } = options;
    let journal: SourceJournal | undefined;
    try {
      insistOnRoomForPage(options.plan.depthBytes, guest.guest.pageSizeBytes, to);
      for (const processors of guest.processors) await interruption.unless(processors.admitted());
      journal = await SourceJournal.begin(journals, migration, guest.guest, to);
      await interruption.unless(guest.connect(to, migration));
      return new OutgoingMigration(guest, options, interruption, journal);
    } catch (cause) {
      journal?.remark('aborted', reasonOf(cause));
      await guest.sender.end();
      journal?.letGo();
      throw cause;
    }
  }

  async perform(step: Step): Promise<StepResult> {
    if (step.kind === 'abort') return this.#abort(step.why);
    try {
      this.#interruption.check();
      return await this.#carryOut(step);
    } catch (cause) {
      const pausedAtNs = this.#pausedAtNs;
      const failed = {
        kind: 'failed',
        now: this.#now(),
        ...(pausedAtNs !== undefined && { pausedSince: this.#since(pausedAtNs) }),
        handover: this.#handover,
      } as const;
      const { cause: interrupted } = this.#interruption;
      if (interrupted) return { ...failed, why: reasonOf(interrupted), outcome: interrupted.outcome };
      const revoked = step.kind === 'send' ? this.#guest.sender.revokedWhy : undefined;
      if (revoked !== undefined) return { ...failed, why: revoked, outcome: 'aborted' };
      return { ...failed, why: reasonOf(cause) };
    }
  }

  /** @returns whether it will be: false once the guest has been given away, or the migration has ended otherwise */
  cancel(why: string): boolean {
    return this.#interruption.raise('cancelled', why);
  }

  /** See `SourceOwnership.settle`. @throws Failure there is no uncertainty */
  settle(owner: End): Promise<void> {
    return this.#ownership.settle(owner);
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#guest.sender.allow(ceilings);
  }

  /** The link now, also in the middle of a step. @throws Failure the sender has ended */
  linkStatus(): Promise<LinkStatus> {
    return this.#guest.sender.linkStatus();
  }

  /** @param afterNs those that ended later than this, in this world's time; all without it */
  slices(afterNs = Number.NEGATIVE_INFINITY): readonly Slice[] {
    return this.#guest.processors
      .flatMap((processors) => processors.slices(afterNs + this.#beganAtNs))
      .map((slice) => ({ ...slice, startNs: this.#since(slice.startNs), endNs: this.#since(slice.endNs) }));
  }

  /**
   * A guest that is still this end's goes on, also if the migration was in the middle of its stop. The sender ends before
   * everything else: it reads the guest's memory.
   */
  async close(): Promise<void> {
    await this.#ownership.end(this.#pausedAtNs !== undefined);
    await this.#guest.sender.end();
    for (const part of this.#parts.toReversed()) await part.end();
    await this.#ownership.release();
    this.#journal.letGo();
  }

  async #carryOut(step: Exclude<Step, { kind: 'abort' }>): Promise<StepResult> {
    const guest = this.#guest;
    const interruption = this.#interruption;
    switch (step.kind) {
      case 'observe':
        return this.#observe(step.windowNs);
      case 'learn':
        return { kind: 'learned', now: this.#now(), rates: guest.writeRates() };
      case 'track':
        await interruption.unless(guest.track());
        return this.#dirty({ dirty: PageSet.all(guest.guest.pages), atNs: clockNs() });
      case 'send': {
        const { untilNs = Number.POSITIVE_INFINITY } = step;
        // What is sent of a paused guest is compared when it is handed over: one answer less to wait for.
        const endsRound = step.endsRound && this.#paused === undefined;
        const ofHost = { ...step, endsRound, untilNs: untilNs + this.#beganAtNs };
        const { result, atNs } = await interruption.unless(guest.sender.ask('sendPages', ofHost));
        return { kind: 'sent', now: this.#since(atNs), ...result };
      }
      case 'clear':
        await interruption.unless(guest.clear(step.pages));
        return { kind: 'done', now: this.#now() };
      case 'harvest':
        return this.#dirty(await interruption.unless(guest.dirtyPages(step.take)));
      case 'stop':
        return this.#stop();
      case 'wait':
      case 'device':
        await interruption.unless(sleepNs(step.kind === 'wait' ? step.forNs : step.device.timeNs));
        return { kind: 'done', now: this.#now() };
      case 'hand over':
        return this.#handOver(step.verify === 'full');
    }
  }

  /** The first window begins when it is asked for, each later one where the one before it ended. */
  async #observe(windowNs: Nanos): Promise<StepResult> {
    const interruption = this.#interruption;
    const dirtyPages = () => interruption.unless(this.#guest.dirtyPages(true));
    const beganAtNs = this.#windowBeganAtNs ?? (await dirtyPages()).atNs;
    await interruption.unless(sleepNs(Math.max(0, beganAtNs + windowNs - clockNs())));
    const found = await dirtyPages();
    this.#windowBeganAtNs = found.atNs;
    return this.#dirty({ ...found, windowNs: found.atNs - beganAtNs });
  }

  /** From here on the watchdog counts, also for a guest that its user had paused: the user waits as well. */
  async #stop(): Promise<StepResult> {
    const guest = this.#guest;
    if (guest.preparePause) await this.#interruption.unless(guest.preparePause());
    const since = (atNs: Nanos) => {
      this.#pausedAtNs = atNs;
      this.#ownership.watch(atNs);
    };
    this.#paused = await guest.pause(since);
    const { atNs } = this.#paused;
    since(atNs);
    this.#journal.write('stopped');
    const found = await this.#interruption.unless(guest.dirtyPages(false));
    return this.#dirty({ ...found, windowNs: found.atNs - atNs });
  }

  async #handOver(verify: boolean): Promise<StepResult> {
    const guest = this.#guest;
    const { sender } = guest;
    const interruption = this.#interruption;
    const { guestTimeNs, staysPaused: paused } = this.#paused!;
    if (guest.deviceState) {
      const bytes = await interruption.unless(guest.deviceState());
      await interruption.unless(sender.ask('sendState', bytes));
    }
    const ready = await interruption.unless(sender.ask('stop', guestTimeNs, paused));
    const readyAtNs = this.#since(ready.atNs);
    this.#handover = { readyAtNs };
    const answeredAtNs = this.#since(verify ? await this.#verify() : ready.result.heardAtNs);
    const verifiedAtNs = verify ? this.#now() : readyAtNs;
    this.#handover = { readyAtNs, verifiedAtNs };
    this.#journal.write('ready');
    this.#handover = { readyAtNs, verifiedAtNs, commitLeftAtNs: this.#now() };
    const there = await this.#ownership.commit();
    const heardAtNs = this.#since(there.heardAtNs);
    const { notes, ...ran } = instantsOf(there, {
      ...{ answeredAtNs, verifiedAtNs, heardAtNs },
      roundTripNs: sender.link.roundTripNs,
    });
    this.#notes.push(...notes);
    const instants = { readyAtNs, verifiedAtNs, lateNs: ready.result.lateNs, ...ran };
    this.#handover = instants;
    return { kind: 'handed over', now: this.#now(), ...instants, measurements: await this.#afterwards() };
  }

  /** @returns when the destination's hash was heard */
  async #verify(): Promise<Nanos> {
    const hashes = Promise.all([this.#guest.sender.ask('verify'), this.#guest.hash()]);
    const [there, here] = await this.#interruption.unless(hashes);
    const memory = here === there.result.sha256 ? 'identical' : 'different';
    this.#verified = { ...this.#verified, memory };
    if (memory === 'different') throw new Error('the memory of source and destination differs');
    return there.result.heardAtNs;
  }

  async #afterwards(): Promise<Measurements> {
    const { outage, continued, notes } = await this.#guest.completed();
    this.#journal.remark('ended');
    this.#verified = { ...this.#verified, continued };
    this.#notes.push(...notes);
    return this.#measurements(outage);
  }

  async #abort(why: string): Promise<StepResult> {
    const guest = this.#guest;
    await this.#ownership.keep(why, this.#pausedAtNs !== undefined);
    await guest.sender.ask('abort', why).catch(() => {});
    const measurements = this.#measurements(await guest.outage());
    return { kind: 'aborted', now: this.#now(), owner: this.#ownership.owner, measurements };
  }

  #measurements(outage: Outage | null): Measurements {
    const { processors, sender, notes } = this.#guest;
    return {
      outage,
      verified: this.#verified,
      servers: processors.flatMap((one) => one.account(clockNs())),
      link: sender.link,
      notes: [
        ...processors.flatMap((one) => one.notes),
        ...this.#journal.notes,
        ...unsentNotes(),
        ...(this.#isTlsOff ? ['The stream was not encrypted: TLS was turned off.'] : []),
        ...notes,
        ...this.#notes,
      ],
    };
  }

  #dirty({ dirty, atNs, windowNs = 0 }: DirtyPages & { readonly windowNs?: Nanos }): StepResult {
    return { kind: 'dirty', now: this.#since(atNs), dirty, windowNs };
  }

  #now(): Nanos {
    return this.#since(clockNs());
  }

  #since(hostNs: Nanos): Nanos {
    return hostNs - this.#beganAtNs;
  }
}
