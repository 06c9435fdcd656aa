import { setTimeout as sleep } from 'node:timers/promises';
import { shareOf } from '../../core/cpu/reservation.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { Measurements, Outage, Owner, Verification } from '../../core/migration/migration-result.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { reasonOf } from '../../platform/failure.ts';
import { Interruption } from '../../transport/interruption.ts';
import type { JournalOptions } from '../../transport/source-journal.ts';
import { Watchdog } from '../../transport/watchdog.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { writeRatesOf } from '../../workload/programs.ts';
import type { World } from '../world.ts';
import { ScriptGuest } from './script-guest.ts';
import type { BootVmGuest } from './vm-guest.ts';
import { endParts, startParts, type VmParts } from './vm-parts.ts';

/**
 * A real virtual machine: the guest runs in QEMU, over memory that it shares with us; our sender moves its pages as the plan
 * says, and what it is beyond its pages, in the hand-over; the destination is another QEMU under another process.
 */
export class VmWorld implements World {
  readonly startedAt = new Date().toISOString();
  readonly #setup: MigrationSpec;
  readonly #parts: VmParts;
  readonly #beganAtNs = clockNs();
  readonly #usedAtStartNs: Nanos;
  readonly #interruption = new Interruption();
  readonly #watchdog: Watchdog;
  #windowBeganAtNs: Nanos | undefined;
  /** By the host's clock. */
  #stoppedAtNs: Nanos | undefined;
  #saved: Promise<Buffer> | undefined;
  #owner: Owner = 'source';
  #verified: Verification = { memory: 'not-checked', continued: 'not-checked' };
  readonly #notes: string[] = [];

  private constructor(setup: MigrationSpec, parts: VmParts) {
    this.#setup = setup;
    this.#parts = parts;
    this.#usedAtStartNs = parts.vcpu.usedNs();
    this.#watchdog = new Watchdog(setup.plan, this.#interruption);
  }

  /** Boots the machine, lets it run, and connects to the destination. @throws Failure any of that is not possible. */
  static async create(
    setup: MigrationSpec,
    options: JournalOptions,
    movesIn: BootVmGuest = ScriptGuest.boot,
  ): Promise<VmWorld> {
    return new VmWorld(setup, await startParts(setup, options, movesIn));
  }

  async perform(step: Step): Promise<StepResult> {
    if (step.kind === 'abort') return this.#abort(step.why);
    try {
      this.#interruption.check();
      return await this.#carryOut(step);
    } catch (cause) {
      const stoppedAtNs = this.#stoppedAtNs;
      const failed = {
        kind: 'failed',
        now: this.#now(),
        ...(stoppedAtNs !== undefined && { pausedSince: this.#since(stoppedAtNs) }),
      } as const;
      const { cause: interrupted } = this.#interruption;
      if (interrupted) return { ...failed, why: reasonOf(interrupted), outcome: interrupted.outcome };
      const revoked = step.kind === 'send' ? this.#parts.sender.revokedWhy : undefined;
      if (revoked !== undefined) return { ...failed, why: revoked, outcome: 'aborted' };
      return { ...failed, why: reasonOf(cause) };
    }
  }

  /** @returns whether the migration will end for it; it does not once the guest has been given away */
  cancel(why: string): boolean {
    return this.#interruption.raise('cancelled', why);
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#parts.sender.allow(ceilings);
  }

  close(): Promise<void> {
    this.#interruption.over();
    this.#watchdog.rest();
    return endParts(this.#parts);
  }

  slices(): readonly Slice[] {
    return this.#parts.cpu.slices().map((slice) => ({
      ...slice,
      startNs: this.#since(slice.startNs),
      endNs: this.#since(slice.endNs),
    }));
  }

  async #carryOut(step: Exclude<Step, { kind: 'abort' }>): Promise<StepResult> {
    const { sender, vmGuest } = this.#parts;
    const { guest } = this.#setup;
    switch (step.kind) {
      case 'observe':
        return this.#observe(step.windowNs);
      case 'learn':
        return { kind: 'learned', now: this.#now(), rates: writeRatesOf(guest) };
      case 'track':
        vmGuest.watchGaps();
        return { kind: 'dirty', now: this.#now(), dirty: PageSet.all(guest.pages), windowNs: 0 };
      case 'send': {
        const { pages, rateBytesPerSecond: rate, clears, endsRound } = step;
        const sent = sender.ask('send', { pages, rate, clears, endsRound });
        const { result, atNs } = await this.#interruption.unless(sent);
        return { kind: 'sent', now: this.#since(atNs), ...result };
      }
      case 'clear':
        await sender.ask('clear', { words: step.pages.words });
        return { kind: 'done', now: this.#now() };
      case 'harvest': {
        const { dirty, atNs } = await this.#look(step.take);
        return { kind: 'dirty', now: this.#since(atNs), dirty, windowNs: 0 };
      }
      case 'stop':
        return this.#stop();
      case 'hand over':
        return this.#handOver(step.verify === 'full');
    }
  }

  async #look(take: boolean): Promise<{ dirty: PageSet; atNs: Nanos }> {
    const looked = this.#parts.sender.ask('look', { take });
    const { result, atNs } = await this.#interruption.unless(looked);
    return { dirty: new PageSet(this.#setup.guest.pages, result), atNs };
  }

  /** The first window begins when it is asked for; each later one where the one before it ended. */
  async #observe(windowNs: Nanos): Promise<StepResult> {
    this.#windowBeganAtNs ??= (await this.#look(true)).atNs;
    const beganAtNs = this.#windowBeganAtNs;
    const restNs = Math.max(0, beganAtNs + windowNs - clockNs());
    await this.#interruption.unless(sleep(restNs / NANOS_PER_MILLISECOND));
    const { dirty, atNs } = await this.#look(true);
    this.#windowBeganAtNs = atNs;
    return { kind: 'dirty', now: this.#since(atNs), dirty, windowNs: atNs - beganAtNs };
  }

  /** From here on the watchdog counts. While we look for what is dirty, QEMU writes down what the machine is beyond its memory. */
  async #stop(): Promise<StepResult> {
    const { vmGuest, journal } = this.#parts;
    const { machine } = vmGuest;
    await this.#interruption.unless(vmGuest.aboutToStop());
    // The guest may make its last step until QEMU answers; counted from here, no downtime is too short.
    const stoppedAtNs = clockNs();
    this.#stoppedAtNs = stoppedAtNs;
    this.#watchdog.watch(stoppedAtNs);
    await this.#interruption.unless(machine.pause());
    this.#saved = machine.saveState();
    journal.write('stopped');
    this.#noteShare(stoppedAtNs);
    const { dirty, atNs } = await this.#look(false);
    return { kind: 'dirty', now: this.#since(atNs), dirty, windowNs: atNs - stoppedAtNs };
  }

  /** The kernel keeps no book of periods for us: only how much the guest has had in all. */
  #noteShare(atNs: Nanos): void {
    const reservation = this.#setup.cpu.guest;
    if (!reservation) return;
    const share = (this.#parts.vcpu.usedNs() - this.#usedAtStartNs) / (atNs - this.#beganAtNs);
    const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
    this.#notes.push(
      `guest: had ${percent(share)} of a processor until the stop; reserved ${percent(shareOf(reservation))}`,
    );
  }

  async #handOver(verify: boolean): Promise<StepResult> {
    const { sender, journal } = this.#parts;
    const bytes = await this.#interruption.unless(this.#saved!);
    const said = sender
      .ask('state', { bytes })
      .then(() => sender.ask('stop', { guestTimeNs: 0, paused: false }));
    const ready = await this.#interruption.unless(said);
    if (verify) await this.#verify();
    const verifiedAtNs = verify ? clockNs() : ready.atNs;
    journal.write('ready');
    const running = await this.#commit();
    const { atNs } = running;
    const resumeNs = Math.min(running.resumeNs, atNs - verifiedAtNs);
    return {
      kind: 'handed over',
      now: this.#now(),
      readyAtNs: this.#since(ready.atNs),
      verifiedAtNs: this.#since(verifiedAtNs),
      committedAtNs: this.#since(atNs - resumeNs),
      runningAtNs: this.#since(atNs),
      measurements: await this.#afterwards(),
    };
  }

  async #verify(): Promise<void> {
    const { vmGuest, sender } = this.#parts;
    const there = sender.ask('verify', {});
    const here = vmGuest.machine.hash();
    const { result } = await this.#interruption.unless(there);
    const memory = here === result ? 'identical' : 'different';
    this.#verified = { ...this.#verified, memory };
    if (memory === 'different') throw new Error('the destination holds other bytes than the source');
  }

  /** Gives the guest away. A commit that was not taken changes nothing; one that was not answered leaves it nowhere. */
  async #commit(): Promise<{ readonly resumeNs: Nanos; readonly atNs: Nanos }> {
    const { sender, journal } = this.#parts;
    this.#watchdog.check();
    this.#interruption.check();
    journal.write('commit');
    this.#interruption.over();
    this.#watchdog.rest();
    this.#owner = 'nobody';
    const { result, atNs } = await sender.ask('commit', {});
    if (result.kind === 'not taken') this.#owner = 'source';
    if (result.kind !== 'running') throw new Error(result.why);
    this.#owner = 'destination';
    journal.remark('running');
    return { resumeNs: result.resumeNs, atNs };
  }

  async #afterwards(): Promise<Measurements> {
    const { vmGuest, sender, journal } = this.#parts;
    const { outage, continued, notes } = await vmGuest.arrived(sender);
    journal.remark('ended');
    this.#verified = { ...this.#verified, continued };
    this.#notes.push(...notes);
    return this.#measurements(outage);
  }

  /** Before the commit the guest is ours and runs on; after it, it is not, whatever became of it. */
  async #abort(why: string): Promise<StepResult> {
    const { vmGuest, sender, journal } = this.#parts;
    this.#interruption.over();
    this.#watchdog.rest();
    if (this.#owner === 'source') {
      await vmGuest.machine.run().catch(() => {
        this.#owner = 'nobody';
      });
      journal.remark('aborted', why);
    }
    await sender.ask('abort', { why }).catch(() => {});
    const measurements = this.#measurements(await vmGuest.outage());
    return { kind: 'aborted', now: this.#now(), owner: this.#owner, measurements };
  }

  #measurements(outage: Outage | null): Measurements {
    const { cpu, sender, journal } = this.#parts;
    return {
      outage,
      verified: this.#verified,
      servers: cpu.account(clockNs()),
      link: sender.link,
      notes: [...cpu.notes, ...journal.notes, ...this.#notes],
    };
  }

  #now(): Nanos {
    return this.#since(clockNs());
  }

  #since(hostNs: Nanos): Nanos {
    return hostNs - this.#beganAtNs;
  }
}
