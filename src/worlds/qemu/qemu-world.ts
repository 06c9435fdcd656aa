import { type Ceiling, onClock } from '../../core/link/ceiling.ts';
import { notEncrypted } from '../../core/link/encryption.ts';
import { DirtyCount } from '../../core/migration/asked/dirty-count.ts';
import type { Measurements } from '../../core/migration/migration-result.ts';
import type { Plan } from '../../core/migration/plan.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { clockNs, timestamp } from '../../platform/clock.ts';
import { Failure, reasonOf } from '../../platform/failure.ts';
import { sleepNs } from '../../platform/timer.ts';
import { Allowance } from '../../transport/allowance.ts';
import { Interruption } from '../../transport/interruption.ts';
import { Pacer } from '../../transport/pacer.ts';
import { unsentNotes } from '../../transport/unsent/unsent-thread.ts';
import { Watchdog } from '../../transport/watchdog.ts';
import type { World } from '../world.ts';
import { compareMemory } from './dumped-memory.ts';
import { fidelityOf } from './fidelity.ts';
import { LiveSending } from './live-sending.ts';
import { type MachineEvent, reaches } from './machine-events.ts';
import { MachineJournal } from './machine-journal.ts';
import { MachineStop } from './machine-stop.ts';
import { between, PageFlow } from './page-flow.ts';
import type { QemuDestination } from './qemu-destination.ts';
import type { SourceMachine } from './source-machine.ts';
import { streamOf } from './source-stream.ts';
import { StreamRelay } from './stream-relay.ts';
import { WatchedMachine } from './watched-machine.ts';

/** How long QEMU is given for what it does within milliseconds, or after a tenth of a second. */
const SOON_NS = 10 * NANOS_PER_SECOND;

export interface QemuWorldOptions {
  readonly machine: SourceMachine;
  readonly destination: QemuDestination;
  readonly plan: Plan;
  readonly mode: 'pull' | 'pass';
  readonly interruption?: Interruption;
  /** What a link still allows that others use too. */
  readonly allowance?: Allowance;
}

/**
 * A machine that somebody else has started moves from its QEMU to another one through us, unchanged: pages are asked for in the plan's
 * order, what leaves is paced, and the stop is allowed when the plan says so. What is dirty, the state of the devices and whose
 * the machine is stay QEMU's affair: the destination runs only when the source has said that it is done.
 */
export class QemuWorld implements World {
  readonly startedAt = timestamp();
  readonly #beganAtNs = clockNs();
  readonly #machine: SourceMachine;
  readonly #destination: QemuDestination;
  readonly #plan: Plan;
  readonly #mode: 'pull' | 'pass';
  readonly #interruption: Interruption;
  readonly #watchdog: Watchdog;
  readonly #allowance: Allowance;
  readonly #flow = new PageFlow();
  readonly #pacer: Pacer;
  readonly #watched: WatchedMachine;
  #relay: StreamRelay | undefined;
  /** The source has handed the machine over. */
  #completed: Promise<MachineEvent> | undefined;
  #journal: MachineJournal | undefined;
  #live: LiveSending | undefined;
  #stop: MachineStop | undefined;
  #owner: 'source' | 'destination' | 'nobody' = 'source';
  #memory: Measurements['verified']['memory'] = 'not-checked';
  /** What a reader of the record must know. */
  readonly notes: string[] = [];

  constructor({ machine, destination, plan, mode, ...others }: QemuWorldOptions) {
    const { interruption = new Interruption(), allowance = new Allowance() } = others;
    this.#allowance = allowance;
    this.#machine = machine;
    this.#watched = new WatchedMachine(machine);
    this.#destination = destination;
    this.#plan = plan;
    this.#mode = mode;
    this.#interruption = interruption;
    this.#watchdog = new Watchdog(plan, interruption);
    this.#pacer = new Pacer(plan.depthBytes, { checkpoint() {}, block() {}, unblock() {} }, allowance);
    this.#pacer.setRate(plan.rateBytesPerSecond);
  }

  async perform(step: Step): Promise<StepResult> {
    if (step.kind === 'abort') return this.#abort();
    try {
      this.#interruption.check();
      return await this.#interruption.unless(this.#carryOut(step));
    } catch (cause) {
      const { pause } = this.#stop ?? {};
      const paused = pause && { pausedSince: this.#since(pause.atNs) };
      const failed = { kind: 'failed', now: this.#now(), ...paused } as const;
      const { cause: interrupted } = this.#interruption;
      if (interrupted) return { ...failed, why: reasonOf(interrupted), outcome: interrupted.outcome };
      return { ...failed, why: reasonOf(cause) };
    } finally {
      this.#machine.reserved?.look(...(this.#stop?.pause ? [] : (['guest'] as const)), 'sender');
    }
  }

  cancel(why: string): boolean {
    return this.#interruption.raise('cancelled', why);
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#allowance.write(onClock(ceilings, clockNs()));
  }

  slices(): readonly never[] {
    return [];
  }

  /** Its settings are as they were before, unless it has ended. */
  async close(): Promise<void> {
    this.#watchdog.disarm();
    this.#relay?.cut();
    this.#destination.close();
    await this.#watched.end().catch((cause) => this.notes.push(reasonOf(cause)));
    this.notes.push(...(await this.#machine.end()));
  }

  async #carryOut(step: Exclude<Step, { kind: 'abort' }>): Promise<StepResult> {
    switch (step.kind) {
      case 'track':
        return this.#track();
      case 'send':
        return this.#stop?.pause ? this.#sendRest() : this.#sendLive(step);
      case 'harvest':
        return this.#dirty(await this.#alive(this.#live!.knownDirtyPages()));
      case 'wait':
      case 'device':
        await sleepNs(step.kind === 'wait' ? step.forNs : step.device.timeNs);
        return { kind: 'done', now: this.#now() };
      case 'stop':
        return this.#stopMachine();
      case 'hand over':
        return this.#handOver(step.verify === 'full');
      case 'observe':
        return this.#observe(step.windowNs);
      case 'learn':
      case 'clear':
        throw new Failure(`world qemu cannot carry out the step '${step.kind}'`);
    }
  }

  async #observe(windowNs: Nanos): Promise<StepResult> {
    const seen = await this.#watched.observe(windowNs, this.#plan.pages);
    return { kind: 'dirty', now: this.#now(), ...seen };
  }

  async #track(): Promise<StepResult> {
    await this.#watched.end();
    await this.#machine.borrow();
    const wasPaused = !(await this.#machine.isRunning());
    const ends = { source: await this.#machine.known(), destination: await this.#destination.place() };
    this.#journal = await MachineJournal.begin(this.#machine.journals, ends);
    const destination = await this.#destination.connect();
    const source = await streamOf(this.#machine);
    this.#completed = reaches(this.#machine.events, 'completed', 'source');
    this.#completed.catch(() => {});
    const { wire } = this.#destination;
    if (wire) this.notes.push(...unsentNotes());
    const relay = new StreamRelay({ source, destination, wire }, this.#pacer, this.#flow);
    this.#relay = relay;
    const plan = { plan: this.#plan, mode: this.#mode };
    const sending = { machine: this.#machine, relay, flow: this.#flow, ...plan };
    const live = new LiveSending(sending);
    this.#live = live;
    this.#stop = new MachineStop({ ...sending, live, wasPaused, stopped: (atNs) => this.#stopped(atNs) });
    void relay.ended.then((why) => why && relay.cut());
    await this.#alive(this.#flow.until(() => this.#flow.blocksOf.length > 0, clockNs() + SOON_NS));
    const pages = this.#flow.blocksOf.reduce((sum, block) => sum + block.pages, 0);
    if (pages !== this.#plan.pages) {
      throw new Failure(`the machine has ${pages} pages; the plan is one for ${this.#plan.pages}`);
    }
    await this.#machine.reserved?.reserveSender();
    return this.#dirty(await this.#alive(live.knownDirtyPages()));
  }

  async #sendLive(step: Extract<Step, { kind: 'send' }>): Promise<StepResult> {
    const { untilNs = Number.POSITIVE_INFINITY } = step;
    const sent = await this.#alive(this.#live!.send(step, untilNs + this.#beganAtNs));
    return { kind: 'sent', now: this.#now(), ...sent };
  }

  async #stopMachine(): Promise<StepResult> {
    await this.#alive(this.#stop!.ask());
    const { atNs } = this.#stop!.pause!;
    return { kind: 'dirty', now: this.#since(atNs), windowNs: 0, dirty: new DirtyCount(0) as never };
  }

  /** From here on b_d, and no longer than the plan allows. */
  #stopped(atNs: Nanos): void {
    this.#relay!.setRate(this.#plan.stopRateBytesPerSecond);
    this.#watchdog.arm(atNs);
    this.#machine.reserved?.look('guest');
  }

  /** Everything that is dirty comes by itself. */
  async #sendRest(): Promise<StepResult> {
    const flow = this.#flow;
    await this.#alive(
      flow.until(() => flow.devicesAtByte !== undefined && flow.leftBytes >= flow.devicesAtByte),
    );
    const sent = between(this.#stop!.pause!.before, flow.totals);
    return {
      kind: 'sent',
      now: this.#since(this.#relay!.lastLeftNs),
      ...sent,
      cleanPages: this.#plan.pages - sent.sentPages,
    };
  }

  /**
   * The destination says that it has everything; that word is passed on to the source, which gives the machine away with it: the
   * commit. Only when the source has said that it is done does the machine run at the destination.
   */
  async #handOver(verify: boolean): Promise<StepResult> {
    const relay = this.#relay!;
    const thereNs = await this.#alive(this.#destination.completed);
    const [shut, written] = await this.#alive(Promise.all([relay.shut, this.#machine.written()]));
    const { staysPaused } = this.#stop!;
    this.#journal!.write({ entry: 'handing over', written, staysPaused });
    this.#interruption.check();
    this.#interruption.over();
    this.#watchdog.disarm();
    this.#owner = 'nobody';
    relay.tellSource(shut);
    const { atNs: hereNs } = await this.#completed!;
    this.#owner = 'destination';
    this.#journal!.write({ entry: 'handed over' });
    const readyAtNs = this.#since(verify ? Math.max(thereNs, hereNs) : thereNs);
    if (verify && this.#destination.dumpMemory) {
      this.#memory = await compareMemory(this.#machine, this.#destination);
    }
    const verifiedAtNs = verify ? this.#now() : readyAtNs;
    const committedAtNs = Math.max(verifiedAtNs, this.#since(hereNs));
    const runsAtNs = staysPaused ? clockNs() : await this.#destination.run();
    this.#journal!.close();
    const runningAtNs = Math.max(committedAtNs, this.#since(runsAtNs));
    return {
      ...{ kind: 'handed over', now: this.#now(), readyAtNs, verifiedAtNs, committedAtNs, runningAtNs },
      measurements: this.#measurements(),
    };
  }

  /**
   * What has come to the destination must never run, so its connection is closed at once. A source that had given the machine away
   * all the same has said so by then.
   */
  async #abort(): Promise<StepResult> {
    this.#watchdog.disarm();
    const machine = this.#machine;
    await this.#watched.end().catch(() => {});
    this.#relay?.cut();
    const cancelled = machine.cancel().then(() => machine.ended());
    const tooLate = sleepNs(SOON_NS).then(() => 'unknown');
    const status = await Promise.race([cancelled, tooLate]).catch(() => 'gone');
    if (status === 'completed' && this.#owner !== 'source') this.#owner = 'destination';
    else if (['failed', 'cancelled', 'none'].includes(status)) this.#owner = 'source';
    if (this.#owner === 'destination') await this.#destination.run().catch(() => {});
    if (this.#owner === 'source') {
      await this.#destination.abandon();
      this.#journal?.close();
    }
    return { kind: 'aborted', now: this.#now(), owner: this.#owner, measurements: this.#measurements() };
  }

  /** The same, unless the relay, if there is one, ends before. @throws Failure why it has */
  #alive<T>(promise: Promise<T>): Promise<T> {
    return this.#relay?.alive(promise) ?? promise;
  }

  #measurements(): Measurements {
    const fidelity = fidelityOf(this.#flow, this.#stop, this.#mode, this.#machine.reserved?.kept ?? []);
    const { encryption = notEncrypted } = this.#destination.wire ?? {};
    return {
      ...{ outage: null, servers: [], notes: this.notes, fidelity },
      link: { ...this.#pacer.link, encryption },
      verified: { memory: this.#memory, continued: 'not-checked' },
    };
  }

  #dirty(pages: number): StepResult {
    return { kind: 'dirty', now: this.#now(), dirty: new DirtyCount(pages) as never, windowNs: 0 };
  }

  #now(): Nanos {
    return this.#since(clockNs());
  }

  #since(hostNs: Nanos): Nanos {
    return hostNs - this.#beganAtNs;
  }
}
