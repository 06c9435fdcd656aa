import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { MOST_RESERVED } from '../core/cpu/cpu-admission.ts';
import { ruleOf, type SchedEntity, type Scheduler } from '../core/cpu/cpu-plan.ts';
import { shareOf } from '../core/cpu/reservation.ts';
import type { ServerRecord } from '../core/cpu/server-record.ts';
import type { Slice } from '../core/cpu/slice.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { entry } from '../platform/entry.ts';
import { Failure, Refusal, reasonOf } from '../platform/failure.ts';
import { processorLimit } from '../platform/machine-limits.ts';
import { fifo, type Raised, raise, setFifo, whyRefused } from '../platform/thread-scheduling.ts';
import { MOST_SLOTS } from './dispatch-queue.ts';
import type { DispatcherData } from './dispatcher-worker.ts';
import type { ProbeData } from './probe-worker.ts';
import type { ScheduledThreadData } from './scheduled-thread.ts';
import { SchedulerMemory, ThreadSlot } from './scheduler-memory.ts';
import { SliceAccount } from './slice-account.ts';
import { Timeline } from './timeline.ts';

export interface ProcessorsOptions {
  readonly scheduler: Scheduler;
  /** The threads of hogs are started and ended here, those of the others by the caller. */
  readonly entities: readonly SchedEntity[];
  readonly reclaim: boolean;
}

interface RaisedThread {
  readonly thread: number;
  readonly priority: Raised;
}

const READ_EVERY_MS = 250;
const OPEN_WITHIN_NS = 10e9;

/** The processors of a real world: the threads that compete for them, their scheduler, and a record of who ran when. */
export class Processors {
  readonly #options: ProcessorsOptions;
  readonly #entities: readonly SchedEntity[];
  readonly #accounts: readonly SliceAccount[];
  readonly #memory: SchedulerMemory;
  readonly #slots: readonly ThreadSlot[];
  readonly #workers: Worker[] = [];
  readonly #noise = new Timeline();
  readonly #reading: NodeJS.Timeout | undefined;
  readonly #notes: string[] = [];
  readonly #limit = processorLimit();
  #dispatcher: RaisedThread | undefined;
  /** Why one of the threads that were started here has died. */
  #crash: string | undefined;
  /** Whether reserved threads go before programs that are not dispatched. */
  #hasUrgent = false;

  private constructor(options: ProcessorsOptions) {
    this.#options = options;
    this.#entities = options.entities;
    this.#accounts = this.#entities.map((entity) => new SliceAccount(entity));
    this.#memory = SchedulerMemory.withSlots(this.#entities.length, this.#processors);
    this.#slots = this.#entities.map((_, index) => new ThreadSlot(this.#memory.buffer, index));
    if (this.#isCompeted) this.#reading = setInterval(() => this.#read(), READ_EVERY_MS).unref();
  }

  /**
   * Starts the dispatcher, the hogs, and a probe for noise, as far as they are needed.
   * @throws Refusal a hog's reservation is refused; nothing has been left behind.
   */
  static async start(options: ProcessorsOptions): Promise<Processors> {
    const cpu = new Processors(options);
    try {
      if (cpu.#isCooperative && cpu.#entities.length > MOST_SLOTS) {
        throw new Failure(
          `the dispatcher schedules at most ${MOST_SLOTS} threads; ${cpu.#entities.length} were requested`,
        );
      }
      if (cpu.#isCooperative) await cpu.#startDispatcher();
      if (cpu.#entities.some(({ reservation }) => reservation)) await cpu.#startProbe();
      for (const { name } of cpu.#hogs) cpu.#thread('hog-worker', cpu.threadDataOf(name));
    } catch (cause) {
      await cpu.end();
      throw cause instanceof Refusal ? cause : new Failure(reasonOf(cause));
    }
    await cpu.#opened(cpu.#hogs);
    // A process that forgets to end them can end all the same.
    for (const worker of cpu.#workers) worker.unref();
    return cpu;
  }

  /** For the `workerData` of the thread of this name. */
  threadDataOf(name: string): ScheduledThreadData {
    const slot = this.#entities.findIndex((entity) => entity.name === name);
    const { reservation } = this.#entities[slot]!;
    const { scheduler, reclaim } = this.#options;
    const place = { slot, memory: this.#memory.buffer, timeline: this.#accounts[slot]!.timeline.buffer };
    if (this.#isCooperative) {
      return { ...place, backend: 'cooperative' };
    }
    if (scheduler === 'deadline' && reservation) {
      return { ...place, backend: 'deadline', reservation, reclaim };
    }
    return { ...place, backend: this.#isCompeted ? 'none' : 'free' };
  }

  /**
   * Waits until all threads have taken their slots.
   * @throws Refusal one has not got the reservation that it asked for; whatever was started here has ended.
   */
  async admitted(): Promise<void> {
    await this.#opened(this.#entities);
  }

  /**
   * Who had a processor when, as far as it was recorded: the latest 65,536 slices of everybody and more.
   * @param afterNs of these, those that ended later than this
   */
  slices(afterNs = 0): readonly Slice[] {
    this.#read();
    return this.#accounts.flatMap((account) => account.slices(afterNs));
  }

  /** From now on `account` says only what was promised and supplied since. */
  beginAccount(): void {
    const now = clockNs();
    for (const account of this.#accounts) account.restart(now);
  }

  /** What every reservation was promised and supplied until then, since its account began. The last millisecond of a thread may be missing. */
  account(untilNs: Nanos): readonly ServerRecord[] {
    this.#read();
    return this.#accounts.flatMap((account) => account.record(untilNs) ?? []);
  }

  /** The number by which the kernel knows the thread of this name, once it has taken its slot. */
  threadOf(name: string): number {
    return this.#slots[this.#entities.findIndex((entity) => entity.name === name)]!.thread;
  }

  /** The dispatcher's thread, by the kernel's number, and its priority; undefined if there is none. */
  get dispatcher(): RaisedThread | undefined {
    return this.#dispatcher;
  }

  /** What a reader of the results must know. */
  get notes(): readonly string[] {
    const { overruns } = this.#memory;
    const lost = this.#accounts.reduce((sum, account) => sum + account.timeline.lost, 0);
    return [
      ...this.#notes,
      ...(this.#crash ? [`a scheduling thread has crashed: ${this.#crash}`] : []),
      ...(overruns > 0
        ? [`${overruns} times a thread did not stop in time, and another one ran at the same time`]
        : []),
      ...(lost > 0 ? [`${lost} scheduling events were overwritten before they were read`] : []),
    ];
  }

  /** Ends whatever was started here; the caller's threads are the caller's to end. */
  async end(): Promise<void> {
    clearInterval(this.#reading);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Whether it is worth recording who ran when. */
  get #isCompeted(): boolean {
    return this.#options.scheduler !== 'none' || this.#hogs.length > 0;
  }

  get #hogs(): readonly SchedEntity[] {
    return this.#entities.filter(({ kind }) => kind === 'hog');
  }

  get #isCooperative(): boolean {
    return this.#options.scheduler !== 'none' && this.#options.scheduler !== 'deadline';
  }

  /** Whether a processor is left on which nothing is dispatched. */
  get #hasRoom(): boolean {
    return this.#processors < this.#limit.count;
  }

  get #processors(): number {
    return 1 + Math.max(0, ...this.#entities.map(({ processor }) => processor));
  }

  async #startDispatcher(): Promise<void> {
    this.#insistOnTime();
    const data: DispatcherData = {
      memory: this.#memory.buffer,
      rule: ruleOf[this.#options.scheduler],
      entities: this.#entities,
    };
    this.#dispatcher = await this.#raised(this.#thread('dispatcher-worker', data));
    const raised = this.#dispatcher.priority;
    // Only hard ones, which stop at their budget, and not so many that nothing else would run.
    const isSafe = this.#reserved() <= MOST_RESERVED * this.#limit.time;
    this.#hasUrgent = raised === 'SCHED_FIFO' && data.rule === 'hard' && isSafe;
    this.#notes.push(
      raised === 'no priority'
        ? 'the dispatcher has no real-time priority, so other programs can delay it: run as root or grant CAP_SYS_NICE'
        : `dispatcher: ${raised}; reserved threads: ${this.#hasUrgent ? raised : 'no priority'}`,
    );
    const processors = this.#processors;
    if (processors > this.#limit.count) {
      this.#notes.push(`the scenario uses ${processors} processors, the machine has ${this.#limit.count}`);
    }
    for (let processor = 0; data.rule && processor < processors; processor++) {
      if (this.#reserved(processor) <= MOST_RESERVED) continue;
      this.#notes.push(
        `processor ${processor}: more than 95 % is reserved, and switching threads takes time: expect missed periods`,
      );
    }
  }

  async #startProbe(): Promise<void> {
    const dispatched = { memory: this.#memory.buffer, slots: this.#entities.length };
    const data: ProbeData = {
      noise: this.#noise.buffer,
      dispatched: this.#isCooperative ? dispatched : undefined,
    };
    const probe = this.#thread('probe-worker', data);
    if ((await this.#raised(probe)).priority !== 'no priority') return;
    await probe.terminate();
    this.#notes.push(
      "no noise probe: without real-time priority it cannot distinguish the machine's noise from its load",
    );
  }

  #thread(name: string, workerData: unknown): Worker {
    const worker = new Worker(entry(`sched/${name}`), { workerData });
    this.#workers.push(worker);
    worker.on('error', (error) => (this.#crash ??= reasonOf(error)));
    return worker;
  }

  /** Such a thread posts its number first. Its priority is set from here, because koffi keeps memory for each thread that loads it. */
  async #raised(worker: Worker): Promise<RaisedThread> {
    const [thread] = (await once(worker, 'message')) as [number];
    return { thread, priority: raise(thread, this.#hasRoom) };
  }

  async #opened(entities: readonly SchedEntity[]): Promise<void> {
    const deadlineNs = clockNs() + OPEN_WITHIN_NS;
    for (const entity of entities) {
      const slot = this.#slots[this.#entities.indexOf(entity)]!;
      while (slot.opened === undefined && !this.#crash && clockNs() < deadlineNs) await sleep(2);
      if (slot.opened === 'ok') {
        if (this.#hasUrgent && entity.reservation) setFifo(fifo.reserved, slot.thread);
        continue;
      }
      const why = this.#whyNot(entity, slot.opened);
      await this.end();
      throw new Refusal(why);
    }
  }

  #whyNot({ name, reservation }: SchedEntity, code: string | undefined): string {
    if (this.#crash) return this.#crash;
    if (code === undefined) return `the thread '${name}' did not start in time`;
    // What the kernel lets be reserved, and who has it, is more than these processors know.
    const sum = code === 'EBUSY' ? '' : ` (${this.#asked()})`;
    return `${name}: ${whyRefused(code, reservation)}${sum}`;
  }

  /** @throws Refusal this process does not get as much time as is reserved */
  #insistOnTime(): void {
    if (this.#reserved() <= this.#limit.time) return;
    throw new Refusal(`reservations that cannot be kept: ${this.#asked()} (${this.#limit.by})`);
  }

  #asked(): string {
    const { time } = this.#limit;
    return `all reservations together: ${this.#reserved().toFixed(2)} of ${Number(time.toFixed(2))} processors`;
  }

  /** ΣU, of one processor or of all. */
  #reserved(processor?: number): number {
    const asked = this.#entities.filter(
      (entity) => processor === undefined || entity.processor === processor,
    );
    return asked.reduce((sum, { reservation }) => sum + (reservation ? shareOf(reservation) : 0), 0);
  }

  #read(): void {
    for (const account of this.#accounts) account.read();
    for (const event of this.#noise.read()) {
      if (event.kind !== 'ran') continue;
      for (const account of this.#accounts) account.noise(event.startNs, event.endNs);
    }
  }
}
