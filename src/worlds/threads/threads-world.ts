import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuPlan, competitors, isHog } from '../../core/cpu/cpu-plan.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import { type Ceiling, revokedWhy } from '../../core/link/ceiling.ts';
import type { Outage, Owner, Verification, Witness } from '../../core/migration/course.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Seen, Step } from '../../core/migration/steps.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { HEADER_BYTES } from '../../core/wire/frames.ts';
import { Antagonists } from '../antagonists/antagonists.ts';
import { latenessMeanNs } from '../antagonists/disturbance.ts';
import { clockNs } from '../clock.ts';
import { Cpu } from '../cpu/cpu.ts';
import { Failure, reasonOf } from '../failure.ts';
import { writesPerSecondOf } from '../guests/programs.ts';
import { phaseNs } from '../phase.ts';
import type { World, WorldSetup } from '../world.ts';
import { GuestThread, type Standing } from './guest-thread.ts';
import { SenderThread } from './sender-thread.ts';
import { type JournalOptions, SourceJournal } from './source-journal.ts';
import { ViewerThread } from './viewer-thread.ts';

/** Where the destination is, and where on this host its guest can reach the viewer. */
export interface ThreadsOptions extends JournalOptions {
  /** What the destination must have too; null: it asks for none. */
  readonly key: Uint8Array | null;
  readonly viewerHost: string;
}

/** After the hand-over the guest runs on for so many heartbeats, so that its client can say how it went. */
const HEARTBEATS_AFTERWARDS = 25;

/**
 * Real memory, real threads, real TCP: the guest writes shared memory in its own thread, the sender copies it
 * out in another, the destination is another process, and a viewer listens to the guest's heartbeats throughout.
 */
export class ThreadsWorld implements World {
  readonly startedAt = new Date().toISOString();
  readonly #setup: WorldSetup;
  readonly #guest: GuestThread;
  readonly #sender: SenderThread;
  readonly #viewer: ViewerThread;
  readonly #cpu: Cpu;
  readonly #journal: SourceJournal;
  readonly #antagonists: Antagonists;
  readonly #beganAtNs = clockNs();
  /** On the host's clock. */
  #ceilings: readonly Ceiling[] = [];
  #windowBeganAtNs: Nanos | undefined;
  #standing: Standing | undefined;
  #committed = false;
  #verified: Verification = { memory: 'not-checked', continued: 'not-checked' };

  private constructor(
    setup: WorldSetup,
    guest: GuestThread,
    sender: SenderThread,
    viewer: ViewerThread,
    cpu: Cpu,
    journal: SourceJournal,
    antagonists: Antagonists,
  ) {
    this.#setup = setup;
    this.#guest = guest;
    this.#sender = sender;
    this.#viewer = viewer;
    this.#cpu = cpu;
    this.#journal = journal;
    this.#antagonists = antagonists;
  }

  /** Boots the guest, lets it run, and connects to the destination. @throws Failure any of that is not possible. */
  static async create(setup: WorldSetup, options: ThreadsOptions): Promise<ThreadsWorld> {
    const { guest: spec, plan, cpu: wanted } = setup;
    const frameBytes = HEADER_BYTES + spec.pageSizeBytes;
    if (plan.depthBytes < frameBytes) {
      throw new Failure(
        `link.depth of ${plan.depthBytes} bytes: a page with its header takes ${frameBytes} here`,
      );
    }
    const token = randomInt(2 ** 32);
    const migration = randomUUID();
    let journal: SourceJournal | undefined;
    const parts: { end(): Promise<void> }[] = [];
    try {
      const viewer = await ViewerThread.listen({
        host: options.viewerHost,
        token,
        periodNs: spec.heartbeatPeriodNs,
      });
      parts.push(viewer);
      const heartbeats = { host: options.viewerHost, port: viewer.port, token };
      const cpu = await startCpu(wanted);
      parts.push(cpu);
      const guest = await GuestThread.boot(spec, heartbeats, cpu.turnOf('guest'));
      parts.push(guest);
      const { pages, pageSizeBytes } = spec;
      const sender = new SenderThread({
        pages,
        pageSizeBytes,
        memory: guest.memory,
        dirty: guest.log.buffer,
        depthBytes: plan.depthBytes,
        cpuPerPageNs: wanted.cpuPerPageNs,
        cpuPerHandoverNs: wanted.cpuPerHandoverNs,
        turn: cpu.turnOf('sender'),
        timerNoise: { meanNs: latenessMeanNs(setup.antagonists ?? []), seed: spec.seed },
      });
      parts.push(sender);
      await cpu.admitted();
      const { scheduler } = wanted;
      const reservation = wanted.guest && { ...wanted.guest, scheduler };
      journal = new SourceJournal(options, spec, migration);
      const hello = { migration, guest: spec, heartbeats, reservation };
      const antagonists = new Antagonists();
      parts.push(antagonists);
      const towards = await antagonists.inTheWay(setup, options.destination);
      await sender.ask('greet', { ...towards, hello, key: options.key });
      antagonists.start(setup);
      await guest.run(0);
      await sleep(phaseNs(setup) / NANOS_PER_MILLISECOND);
      return new ThreadsWorld(setup, guest, sender, viewer, cpu, journal, antagonists);
    } catch (cause) {
      journal?.abort(reasonOf(cause));
      await Promise.all(parts.map((part) => part.end()));
      throw cause;
    }
  }

  async perform(step: Step): Promise<Seen> {
    if (step.kind === 'abort') return this.#abort(step.why);
    try {
      return await this.#carryOut(step);
    } catch (cause) {
      const now = this.#now();
      const revoked = step.kind === 'send' ? revokedWhy(this.#ceilings, clockNs()) : undefined;
      if (revoked !== undefined) return { kind: 'revoked', now, why: revoked };
      return { kind: 'failed', now, why: reasonOf(cause) };
    }
  }

  allow(ceilings: readonly Ceiling[]): void {
    const now = clockNs();
    this.#ceilings = ceilings.map((one) => ({ ...one, fromNs: one.fromNs + now }));
    this.#sender.allow(this.#ceilings);
  }

  async close(): Promise<void> {
    this.#journal.close();
    const parts = [this.#guest, this.#sender, this.#viewer, this.#cpu, this.#antagonists];
    await Promise.all(parts.map((part) => part.end()));
  }

  slices(): readonly Slice[] {
    return this.#cpu.slices().map((slice) => ({
      ...slice,
      startNs: this.#since(slice.startNs),
      endNs: this.#since(slice.endNs),
    }));
  }

  async #carryOut(step: Exclude<Step, { kind: 'abort' }>): Promise<Seen> {
    switch (step.kind) {
      case 'observe':
        return this.#observe(step.windowNs);
      case 'learn':
        return { kind: 'learned', now: this.#now(), writesPerSecond: writesPerSecondOf(this.#setup.guest) };
      case 'track':
        this.#viewer.watchGaps();
        this.#guest.log.markAll();
        return { kind: 'dirty', now: this.#now(), dirty: PageSet.all(this.#setup.guest.pages), windowNs: 0 };
      case 'send': {
        const { result, atNs } = await this.#sender.ask('send', {
          pages: step.pages,
          rate: step.rateBytesPerSecond,
          clears: step.clears,
          endsRound: step.endsRound,
        });
        return { kind: 'sent', now: this.#since(atNs), ...result };
      }
      case 'clear':
        step.pages.each((page) => this.#guest.log.clear(page));
        return { kind: 'done', now: this.#now() };
      case 'harvest': {
        const { log } = this.#guest;
        return { kind: 'dirty', now: this.#now(), dirty: step.take ? log.take() : log.read(), windowNs: 0 };
      }
      case 'stop':
        this.#standing = await this.#guest.stand();
        this.#journal.write('stopped');
        return {
          kind: 'dirty',
          now: this.#since(this.#standing.atNs),
          dirty: this.#guest.log.read(),
          windowNs: 0,
        };
      case 'hand over':
        return this.#handOver(step.verify === 'full');
    }
  }

  /** The first window begins when it is asked for; each later one where the one before it ended. */
  async #observe(windowNs: Nanos): Promise<Seen> {
    if (this.#windowBeganAtNs === undefined) {
      this.#guest.log.take();
      this.#windowBeganAtNs = clockNs();
    }
    const beganAtNs = this.#windowBeganAtNs;
    await sleep(Math.max(0, beganAtNs + windowNs - clockNs()) / NANOS_PER_MILLISECOND);
    const dirty = this.#guest.log.take();
    this.#windowBeganAtNs = clockNs();
    return {
      kind: 'dirty',
      now: this.#now(),
      dirty,
      windowNs: this.#windowBeganAtNs - beganAtNs,
    };
  }

  async #handOver(verify: boolean): Promise<Seen> {
    const standing = this.#standing!;
    const ready = await this.#sender.ask('stop', { guestTimeNs: standing.guestTimeNs });
    if (verify) {
      const [here, there] = await Promise.all([this.#guest.hash(), this.#sender.ask('verify', {})]);
      const memory = here === there.result ? 'identical' : 'different';
      this.#verified = { ...this.#verified, memory };
      if (memory === 'different') throw new Error('the destination holds other bytes than the source');
    }
    const verifiedAtNs = verify ? clockNs() : ready.atNs;
    this.#journal.write('ready');
    this.#journal.write('commit');
    this.#committed = true;
    const running = await this.#sender.ask('commit', {});
    this.#journal.write('running');
    const resumeNs = Math.min(running.result, running.atNs - verifiedAtNs);
    return {
      kind: 'handed over',
      now: this.#now(),
      readyAtNs: this.#since(ready.atNs),
      verifiedAtNs: this.#since(verifiedAtNs),
      committedAtNs: this.#since(running.atNs - resumeNs),
      runningAtNs: this.#since(running.atNs),
      witness: await this.#afterwards(),
    };
  }

  /**
   * Lets the guest run on at the destination, ends it there, and lets the copy that stayed behind make the same
   * number of steps: a guest that never moved must end with the same memory.
   */
  async #afterwards(): Promise<Witness> {
    await sleep((HEARTBEATS_AFTERWARDS * this.#setup.guest.heartbeatPeriodNs) / NANOS_PER_MILLISECOND);
    const { result: moved } = await this.#sender.ask('retire', {});
    this.#journal.write('ended');
    const outage = await this.#viewer.outage(moved.heartbeats);
    await this.#guest.advance(moved.steps);
    const continued = (await this.#guest.hash()) === moved.sha256 ? 'identical' : 'different';
    this.#verified = { ...this.#verified, continued };
    return this.#witness(outage);
  }

  /** Before the commit the guest is ours and runs on; after it, it is not, whatever became of it. */
  async #abort(why: string): Promise<Seen> {
    await this.#sender.ask('abort', { why }).catch(() => {});
    let owner: Owner = this.#committed ? 'destination' : 'source';
    if (this.#standing && !this.#committed) {
      await this.#guest.run(this.#standing.guestTimeNs).catch(() => {
        owner = 'nobody';
      });
    }
    if (!this.#committed) this.#journal.abort(why);
    const outage = await this.#viewer.outage(0);
    return { kind: 'aborted', now: this.#now(), owner, witness: this.#witness(outage) };
  }

  #witness(outage: Outage | null): Witness {
    return {
      outage,
      verified: this.#verified,
      servers: this.#cpu.account(clockNs()),
      link: this.#sender.link,
      notes: [...this.#cpu.notes, ...this.#journal.notes],
    };
  }

  #now(): Nanos {
    return this.#since(clockNs());
  }

  #since(hostNs: Nanos): Nanos {
    return hostNs - this.#beganAtNs;
  }
}

/** Whoever competes for the processors but guest and sender, whose threads are ours, is started here. */
function startCpu(plan: CpuPlan): Promise<Cpu> {
  const all = competitors(plan);
  return Cpu.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}
