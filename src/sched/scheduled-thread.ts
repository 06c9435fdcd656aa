import type { Reservation } from '../core/cpu/reservation.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { setDeadline, threadId } from '../platform/thread-scheduling.ts';
import { DispatchQueue } from './dispatch-queue.ts';
import { SchedulerMemory, ThreadSlot } from './scheduler-memory.ts';
import { SliceRecorder } from './slice-recorder.ts';
import { Timeline } from './timeline.ts';

/** What a thread calls to be scheduled, the same under every scheduler. */
export interface ScheduledThread {
  /**
   * To be called between two short pieces of work, of at most 50 µs of CPU time. Returns at once while this thread has the
   * processor. Otherwise sleeps until it has it, or until `interrupted` returns true; that is asked before the thread
   * sleeps and whenever it is notified. Cheap: reads the clocks at most every 25 µs.
   */
  checkpoint(interrupted?: () => boolean): void;
  /**
   * There is nothing to do: the thread is about to block.
   * @param untilNs there will be work again then, by the host's clock; not given: somebody else decides that
   */
  block(untilNs?: Nanos): void;
  /** There is work again. Waits for the processor as `checkpoint` does. */
  unblock(interrupted?: () => boolean): void;
}

/** What a thread must know to be scheduled; goes into its `workerData`. */
export type ScheduledThreadData = {
  readonly memory: SharedArrayBuffer;
  readonly slot: number;
  readonly timeline: SharedArrayBuffer;
} & (
  | {
      /** The operating system schedules the thread. `free`: it records nothing; `none`: it records when it ran. */
      readonly backend: 'free' | 'none';
    }
  | { readonly backend: 'deadline'; readonly reservation: Reservation; readonly reclaim: boolean }
  | { readonly backend: 'cooperative' }
);

/** A thread that is woken this late or less is on time: that is what waking up takes. */
const ON_TIME_NS = NANOS_PER_MILLISECOND;

/** How long a thread goes on without reading its clocks. */
const READ_NS = 25_000;

/** Makes the calling thread one that is scheduled; it counts as blocked until it unblocks. */
export function openScheduledThread(data: ScheduledThreadData): ScheduledThread {
  const slot = new ThreadSlot(data.memory, data.slot);
  if (data.backend === 'free') {
    slot.open(0, undefined);
    return unscheduled;
  }
  const timeline = new Timeline(data.timeline);
  if (data.backend === 'cooperative') {
    slot.open(threadId(), undefined);
    return new DispatchedThread(timeline, new SchedulerMemory(data.memory), data.slot);
  }
  const refusal = data.backend === 'deadline' ? setDeadline(data.reservation, data) : undefined;
  slot.open(threadId(), refusal);
  return new KernelThread(timeline);
}

const unscheduled: ScheduledThread = { checkpoint: () => {}, block: () => {}, unblock: () => {} };

/** Wakes the thread, if it waits for the processor, so that it asks whether it is interrupted. */
export function notifyThread({ memory, slot }: ScheduledThreadData): void {
  new ThreadSlot(memory, slot).notify();
}

/**
 * When a thread has work and when it has none, as its timeline is told. What it was promised counts from when its work was due:
 * one that the machine did not wake in time has gone without its processor since then, although it slept.
 */
class Sleep {
  readonly #timeline: Timeline;
  #sinceNs: Nanos = 0;
  #untilNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  begins(atNs: Nanos, untilNs = Number.POSITIVE_INFINITY): void {
    this.#sinceNs = atNs;
    this.#untilNs = untilNs;
    this.#timeline.sleeps(atNs);
  }

  ends(atNs: Nanos): void {
    const isLate = atNs - this.#untilNs > ON_TIME_NS;
    this.#timeline.wakes(isLate ? Math.max(this.#sinceNs, this.#untilNs) : atNs);
  }
}

/**
 * The kernel schedules the thread, which records when it ran. Reading the CPU clock also makes the kernel keep budgets
 * more exactly: it ends a budget at its tick or when it updates its account (kernel/sched/deadline.c: update_curr_dl),
 * so a thread that does not read its clock gets up to a tick more than its budget.
 */
class KernelThread implements ScheduledThread {
  readonly #sleep: Sleep;
  readonly #recorder: SliceRecorder;

  constructor(timeline: Timeline) {
    this.#sleep = new Sleep(timeline);
    this.#recorder = new SliceRecorder(timeline);
  }

  checkpoint(): void {
    if (clockNs() - this.#recorder.readAtNs >= READ_NS) this.#recorder.read();
  }

  block(untilNs?: Nanos): void {
    this.#sleep.begins(this.#recorder.stops(), untilNs);
  }

  unblock(): void {
    this.#sleep.ends(this.#recorder.starts());
  }
}

/**
 * A dispatcher schedules the thread: it runs while it has the processor, reports the CPU time it has used, and hands over
 * to the next thread in the queue when it stops.
 */
class DispatchedThread implements ScheduledThread {
  readonly #sleep: Sleep;
  readonly #recorder: SliceRecorder;
  readonly #memory: SchedulerMemory;
  readonly #number: number;
  readonly #slot: ThreadSlot;
  readonly #queue: DispatchQueue;
  /** The limit that was last reported as reached. */
  #reachedNs: Nanos = 0;

  constructor(timeline: Timeline, memory: SchedulerMemory, number: number) {
    this.#sleep = new Sleep(timeline);
    this.#recorder = new SliceRecorder(timeline);
    this.#memory = memory;
    this.#number = number;
    this.#slot = memory.slot(number);
    this.#queue = new DispatchQueue(memory, this.#slot.processor);
  }

  checkpoint(interrupted?: () => boolean): void {
    const slot = this.#slot;
    if (this.#queue.isHeldBy(this.#number)) {
      const now = clockNs();
      const isOver = now >= slot.untilNs;
      if (!isOver && now - this.#recorder.readAtNs < READ_NS) return;
      this.#recorder.read();
      slot.cpuNs = this.#recorder.cpuNs;
      if (!isOver && !this.#reachesLimit()) return;
    }
    this.#waits(interrupted, this.#handsOver());
  }

  block(untilNs?: Nanos): void {
    this.#sleep.begins(this.#recorder.stops(), untilNs);
    this.#slot.cpuNs = this.#recorder.cpuNs;
    this.#withdraws();
  }

  unblock(interrupted?: () => boolean): void {
    this.#sleep.ends(this.#recorder.starts());
    this.#waits(interrupted, false);
  }

  /** Whether the thread must stop at its limit. If it need not, the dispatcher is woken, and decides. */
  #reachesLimit(): boolean {
    const { limitNs, stopsAtLimit } = this.#slot;
    if (this.#recorder.cpuNs < limitNs) return false;
    if (stopsAtLimit) return true;
    if (limitNs !== this.#reachedNs) this.#memory.wakeDispatcher();
    this.#reachedNs = limitNs;
    return false;
  }

  #handsOver(): boolean {
    return this.#queue.handOver(this.#number, this.#recorder.readAtNs);
  }

  /** Waits for the processor. `isExpected`: the dispatcher knows already, and need not be woken. */
  #waits(interrupted: (() => boolean) | undefined, isExpected: boolean): void {
    const slot = this.#slot;
    slot.isRunnable = true;
    let mustWake = !isExpected;
    for (let { notifications } = slot; !this.#queue.take(this.#number); { notifications } = slot) {
      if (interrupted?.()) {
        this.#withdraws();
        return;
      }
      this.#recorder.stops();
      slot.cpuNs = this.#recorder.cpuNs;
      if (mustWake) this.#memory.wakeDispatcher();
      mustWake = false;
      slot.sleepUntilNotified(notifications);
      this.#recorder.starts();
    }
  }

  /** Stops competing for the processor. */
  #withdraws(): void {
    this.#slot.isRunnable = false;
    this.#handsOver();
    this.#memory.wakeDispatcher();
  }
}
