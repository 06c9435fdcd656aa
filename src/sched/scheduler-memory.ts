import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { Nanos } from '../core/units.ts';

/** Two cache lines, so that threads do not slow each other down by writing to the same one. */
const PLACE_BYTES = 128;

/**
 * What dispatched threads and their dispatcher share. Words are changed by atomic operations; times are doubles with one
 * writer each, which a 64-bit machine reads and writes as a whole. First come the dispatcher's own words, then a slot for
 * each thread, then the queues of the processors, the first processor last.
 */
export class SchedulerMemory {
  readonly buffer: SharedArrayBuffer;
  /** How often the dispatcher was woken, and how many threads overran. */
  readonly #words: Int32Array;
  readonly #slots: ThreadSlot[] = [];

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, 2);
  }

  static withSlots(slots: number, processors: number): SchedulerMemory {
    return new SchedulerMemory(new SharedArrayBuffer(PLACE_BYTES * (1 + slots + processors)));
  }

  /** The word of a processor's dispatch queue. */
  wordsOf(processor: number): Int32Array {
    return new Int32Array(this.buffer, this.buffer.byteLength - PLACE_BYTES * (1 + processor), 1);
  }

  slot(slot: number): ThreadSlot {
    return (this.#slots[slot] ??= new ThreadSlot(this.buffer, slot));
  }

  /** Wakes the dispatcher, which plans anew. */
  wakeDispatcher(): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  get dispatcherWakeups(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Sleeps until it has been woken more often than `wakeups` times, at most so long. */
  sleepUntilWoken(wakeups: number, atMostMs: number): void {
    Atomics.wait(this.#words, 0, wakeups, atMostMs);
  }

  /** How often a thread did not stop in time, and another one was scheduled at the same time. */
  get overruns(): number {
    return Atomics.load(this.#words, 1);
  }

  countOverrun(): void {
    Atomics.add(this.#words, 1, 1);
  }
}

/** What one thread shares with its dispatcher. */
export class ThreadSlot {
  /** Notifications; whether runnable; the result of opening the slot; the thread's number; whether it stops at its limit; processor. */
  readonly #words: Int32Array;
  /** CPU time, its limit, and the times from and until which the thread may run. */
  readonly #times: Float64Array;

  constructor(memory: SharedArrayBuffer, slot: number) {
    const start = PLACE_BYTES * (1 + slot);
    this.#words = new Int32Array(memory, start, 6);
    this.#times = new Float64Array(memory, start + 24, 4);
  }

  /** Wakes the thread, if it waits for the processor, to check whether it has it or is interrupted. */
  notify(): void {
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  get notifications(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Sleeps until there has been one more notification than these. */
  sleepUntilNotified(notifications: number): void {
    Atomics.wait(this.#words, 0, notifications);
  }

  /** Whether the thread runs or waits for the processor; set by the thread. */
  get isRunnable(): boolean {
    return Atomics.load(this.#words, 1) === 1;
  }

  set isRunnable(isRunnable: boolean) {
    Atomics.store(this.#words, 1, Number(isRunnable));
  }

  /** At `cpuNs` of CPU time since its slot was opened, the thread stops (`stops`), or wakes the dispatcher and goes on. */
  limit(cpuNs: Nanos, stops: boolean, fromNs: Nanos): void {
    this.#times[1] = cpuNs;
    this.#times[2] = fromNs;
    Atomics.store(this.#words, 4, Number(stops));
  }

  get limitNs(): Nanos {
    return this.#times[1]!;
  }

  get stopsAtLimit(): boolean {
    return Atomics.load(this.#words, 4) === 1;
  }

  /** No thread hands over to this one before then. */
  get fromNs(): Nanos {
    return this.#times[2]!;
  }

  /** The thread stops then. */
  get untilNs(): Nanos {
    return this.#times[3]!;
  }

  set untilNs(ns: Nanos) {
    this.#times[3] = ns;
  }

  /** The processor on which the thread is dispatched; set by the dispatcher. */
  get processor(): number {
    return Atomics.load(this.#words, 5);
  }

  set processor(processor: number) {
    Atomics.store(this.#words, 5, processor);
  }

  /** CPU time that the thread has used since its slot was opened; set by the thread. */
  get cpuNs(): Nanos {
    return this.#times[0]!;
  }

  set cpuNs(ns: Nanos) {
    this.#times[0] = ns;
  }

  /** The thread of this number takes the slot. `refusal`: why it did not get the reservation that it requested. */
  open(thread: number, refusal: string | undefined): void {
    const { errno } = constants;
    const error = refusal === undefined ? 0 : (errno[refusal as keyof typeof errno] ?? errno.EIO);
    Atomics.store(this.#words, 3, thread);
    Atomics.store(this.#words, 2, 1 + error);
  }

  /** The number by which the kernel knows the thread, once it has taken the slot. */
  get thread(): number {
    return Atomics.load(this.#words, 3);
  }

  /** The result of opening: `ok` or the name of an error; undefined before that. */
  get opened(): string | undefined {
    const error = Atomics.load(this.#words, 2) - 1;
    if (error < 0) return undefined;
    return error === 0 ? 'ok' : getSystemErrorName(-error);
  }
}
