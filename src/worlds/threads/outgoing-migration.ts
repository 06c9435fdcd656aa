import { randomUUID } from 'node:crypto';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { Measurements, Outage, Owner, Verification } from '../../core/migration/migration-result.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import type { Nanos } from '../../core/units.ts';
import type { End } from '../../core/wire/handover.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import type { Processors } from '../../sched/processors.ts';
import { SenderThread } from '../../transport/sender-thread.ts';
import { SourceJournal } from '../../transport/source-journal.ts';
import { Watchdog } from '../../transport/watchdog.ts';
import { writeRatesOf } from '../../workload/programs.ts';
import type { World } from '../world.ts';
import type { OutgoingMigrationOptions } from './outgoing-migration-options.ts';
import { SamplingWindows } from './sampling-windows.ts';
import type { SenderWorkerData } from './threads-sender-worker.ts';

/**
 * One migration of a guest that lives here, as a world: the guest writes shared memory in its own thread, the sender
 * copies it out in another, the destination is another process.
 *
 * Up to the commit the guest is this end's. It may be cancelled until then, and whatever goes wrong, the guest goes on
 * here as it was, running or paused. The commit is decided in one go, between two looks at the clock, so that nobody
 * cancels what has been given away.
 */
export class OutgoingMigration implements World {
  readonly startedAt = new Date().toISOString();
  readonly #options: OutgoingMigrationOptions;
  readonly sender: SenderThread;
  readonly #journal: SourceJournal;
  readonly #windows: SamplingWindows;
  readonly #watchdog: Watchdog;
  readonly #beganAtNs = clockNs();
  /** By the host's clock; undefined: it has not been stopped for this migration. */
  #stoodAtNs: Nanos | undefined;
  #paused = false;
  #owner: Owner = 'source';
  #verified: Verification = { memory: 'not-checked', continued: 'not-checked' };

  private constructor(options: OutgoingMigrationOptions, sender: SenderThread, journal: SourceJournal) {
    this.#options = options;
    this.sender = sender;
    this.#journal = journal;
    this.#windows = new SamplingWindows(options.instance.log);
    this.#watchdog = new Watchdog(options.plan, options.interruption);
  }

  /**
   * Connects to the destination and tells it of the guest.
   * @throws Failure that is not possible, or was interrupted; nothing has been left behind
   */
  static async begin(options: OutgoingMigrationOptions): Promise<OutgoingMigration> {
    const { instance, plan, cpu, processors, to, journals, interruption, timerNoiseMeanNs = 0 } = options;
    const { guest, heartbeats, reservation } = instance.definition;
    const migration = randomUUID();
    const data: Omit<SenderWorkerData, 'allowance'> = {
      pages: guest.pages,
      pageSizeBytes: guest.pageSizeBytes,
      memory: instance.memory,
      dirty: instance.log.buffer,
      depthBytes: plan.depthBytes,
      cpuPerPageNs: cpu.cpuPerPageNs,
      cpuPerHandoverNs: cpu.cpuPerHandoverNs,
      thread: processors.threadDataOf('sender'),
      timerNoise: { meanNs: timerNoiseMeanNs, seed: guest.seed },
    };
    const sender = new SenderThread('worlds/threads/threads-sender-worker', data);
    let journal: SourceJournal | undefined;
    try {
      await interruption.unless(processors.admitted());
      journal = new SourceJournal({ destination: to, journals }, guest, migration);
      const hello = { migration, guest, heartbeats, reservation };
      await interruption.unless(sender.ask('greet', { to, hello }));
      return new OutgoingMigration(options, sender, journal);
    } catch (cause) {
      journal?.remark('aborted', reasonOf(cause));
      await sender.end();
      throw cause;
    }
  }

  async perform(step: Step): Promise<StepResult> {
    if (step.kind === 'abort') return this.#abort(step.why);
    const { interruption } = this.#options;
    try {
      interruption.check();
      return await this.#carryOut(step);
    } catch (cause) {
      const { cause: interrupted } = interruption;
      const revoked = step.kind === 'send' ? this.sender.revokedWhy : undefined;
      const failed = { kind: 'failed', now: this.#now() } as const;
      if (interrupted) return { ...failed, why: reasonOf(interrupted), outcome: interrupted.outcome };
      if (revoked !== undefined) return { ...failed, why: revoked, outcome: 'aborted' };
      return { ...failed, why: reasonOf(cause) };
    }
  }

  /** @returns whether it will be: false once the guest has been given away, or the migration has ended otherwise */
  cancel(why: string): boolean {
    return this.#options.interruption.raise('cancelled', why);
  }

  /**
   * Ends the uncertainty after a commit that was not answered. Whoever says so has asked the destination, or both
   * journals (`switchover recover`).
   * @throws Failure there is none
   */
  async settle(owner: End): Promise<void> {
    const { instance } = this.#options;
    if (instance.claimed !== 'unsettled') throw new Failure(`guest '${instance.name}': nothing to settle`);
    this.#journal.reopen();
    this.#owner = owner;
    this.#journal.remark(owner === 'source' ? 'aborted' : 'ended', 'settled by its user');
    if (owner === 'destination') return instance.end();
    if (!this.#paused) await instance.run();
    instance.release();
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.sender.allow(ceilings);
  }

  /** @param afterNs those that ended later than this, in this world's time; all without it */
  slices(afterNs = Number.NEGATIVE_INFINITY): readonly Slice[] {
    return this.#cpus()
      .flatMap((cpu) => cpu.slices(afterNs + this.#beganAtNs))
      .map((slice) => ({ ...slice, startNs: this.#since(slice.startNs), endNs: this.#since(slice.endNs) }));
  }

  /** A guest that is not here any more is freed, and one that is may be migrated again. */
  async close(): Promise<void> {
    const { instance, interruption, parts = [] } = this.#options;
    interruption.over();
    this.#watchdog.rest();
    this.#journal.close();
    await this.sender.end();
    await Promise.all(parts.map((part) => part.end()));
    if (this.#owner === 'nobody') instance.becomesUnsettled();
    else if (this.#owner === 'destination') await instance.end();
    else if (instance.claimed === 'leaving') instance.release();
  }

  async #carryOut(step: Exclude<Step, { kind: 'abort' }>): Promise<StepResult> {
    const { instance, interruption } = this.#options;
    const { log, definition } = instance;
    switch (step.kind) {
      case 'observe':
        return this.#dirty(await interruption.unless(this.#windows.next(step.windowNs)));
      case 'learn':
        return { kind: 'learned', now: this.#now(), rates: writeRatesOf(definition.guest) };
      case 'track':
        this.#options.hooks.watchGaps();
        log.markAll();
        return this.#dirty({ dirty: PageSet.all(definition.guest.pages) });
      case 'send': {
        const { pages, rateBytesPerSecond: rate, clears, endsRound } = step;
        const sent = this.sender.ask('send', { pages, rate, clears, endsRound });
        const { result, atNs } = await interruption.unless(sent);
        return { kind: 'sent', now: this.#since(atNs), ...result };
      }
      case 'clear':
        step.pages.each((page) => log.clear(page));
        return { kind: 'done', now: this.#now() };
      case 'harvest':
        return this.#dirty({ dirty: step.take ? log.take() : log.read() });
      case 'stop':
        return this.#stop();
      case 'hand over':
        return this.#handOver(step.verify === 'full');
    }
  }

  /** From here on the watchdog counts, also for a paused guest, whose user waits as well. */
  async #stop(): Promise<StepResult> {
    const { instance } = this.#options;
    this.#paused = instance.isPaused;
    const standing = await instance.pause();
    this.#stoodAtNs = standing?.atNs ?? clockNs();
    this.#watchdog.watch(this.#stoodAtNs);
    this.#journal.write('stopped');
    return this.#dirty({ dirty: instance.log.read() }, this.#stoodAtNs);
  }

  async #handOver(verify: boolean): Promise<StepResult> {
    const { instance, interruption } = this.#options;
    const { guestTimeNs } = instance;
    const stopped = this.sender.ask('stop', { guestTimeNs, paused: this.#paused });
    const ready = await interruption.unless(stopped);
    if (verify) await this.#verify();
    const verifiedAtNs = verify ? clockNs() : ready.atNs;
    this.#journal.write('ready');
    const running = await this.#commit();
    const resumeNs = Math.min(running.resumeNs, running.atNs - verifiedAtNs);
    return {
      kind: 'handed over',
      now: this.#now(),
      readyAtNs: this.#since(ready.atNs),
      verifiedAtNs: this.#since(verifiedAtNs),
      committedAtNs: this.#since(running.atNs - resumeNs),
      runningAtNs: this.#since(running.atNs),
      measurements: await this.#afterwards(),
    };
  }

  async #verify(): Promise<void> {
    const { instance, interruption } = this.#options;
    const hashes = Promise.all([instance.hash(), this.sender.ask('verify', {})]);
    const [here, there] = await interruption.unless(hashes);
    const memory = here === there.result ? 'identical' : 'different';
    this.#verified = { ...this.#verified, memory };
    if (memory === 'different') throw new Error('the destination holds other bytes than the source');
  }

  /** Gives the guest away. A commit that was not taken changes nothing; one that was not answered leaves it nowhere. */
  async #commit(): Promise<{ readonly resumeNs: Nanos; readonly atNs: Nanos }> {
    const { interruption } = this.#options;
    this.#watchdog.check();
    interruption.check();
    this.#journal.write('commit');
    interruption.over();
    this.#watchdog.rest();
    this.#owner = 'nobody';
    const { result, atNs } = await this.sender.ask('commit', {});
    if (result.kind === 'not taken') this.#owner = 'source';
    if (result.kind !== 'running') throw new Error(result.why);
    this.#owner = 'destination';
    this.#journal.remark('running');
    return { resumeNs: result.resumeNs, atNs };
  }

  async #afterwards(): Promise<Measurements> {
    const { outage, continued } = await this.#options.hooks.arrived(this.sender);
    this.#journal.remark('ended');
    this.#verified = { ...this.#verified, continued };
    return this.#measurements(outage);
  }

  /** Before the commit the guest is ours and goes on as it was; after it, it is not, whatever became of it. */
  async #abort(why: string): Promise<StepResult> {
    const { instance, interruption, hooks } = this.#options;
    interruption.over();
    this.#watchdog.rest();
    if (this.#owner === 'nobody') instance.becomesUnsettled();
    if (this.#owner === 'source') await this.#resume(why);
    await this.sender.ask('abort', { why }).catch(() => {});
    const outage = await hooks.outage();
    return {
      kind: 'aborted',
      now: this.#now(),
      owner: this.#owner,
      measurements: this.#measurements(outage),
    };
  }

  /** The guest first: it stands. */
  async #resume(why: string): Promise<void> {
    const { instance } = this.#options;
    try {
      if (this.#stoodAtNs !== undefined && !this.#paused) await instance.run();
    } catch {
      this.#owner = 'nobody';
    }
    this.#journal.remark('aborted', why);
  }

  #measurements(outage: Outage | null): Measurements {
    return {
      outage,
      verified: this.#verified,
      servers: this.#cpus().flatMap((cpu) => cpu.account(clockNs())),
      link: this.sender.link,
      notes: [...this.#cpus().flatMap((cpu) => cpu.notes), ...this.#journal.notes],
    };
  }

  /** The guest's, and the sender's where that has others. */
  #cpus(): readonly Processors[] {
    return [...new Set([this.#options.instance.cpu, this.#options.processors])];
  }

  #dirty(seen: { readonly dirty: PageSet; readonly windowNs?: Nanos }, atNs = clockNs()): StepResult {
    return { kind: 'dirty', now: this.#since(atNs), windowNs: 0, ...seen };
  }

  #now(): Nanos {
    return this.#since(clockNs());
  }

  #since(hostNs: Nanos): Nanos {
    return hostNs - this.#beganAtNs;
  }
}
