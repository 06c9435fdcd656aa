import type { Reservation } from '../core/cpu/reservation.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { type Answer, setDeadline, threadId } from '../platform/thread-scheduling.ts';
import { DispatchQueue } from './dispatch-queue.ts';
import { SchedulerMemory, ThreadSlot } from './scheduler-memory.ts';
import { SliceRecorder } from './slice-recorder.ts';
import { Timeline } from './timeline.ts';

/** A thread's relation to its processor, the same whoever decides about it. */
export interface ScheduledThread {
  /**
   * Between two short pieces of work, of 50 µs of CPU time at most: returns at once while this thread has the processor.
   * Otherwise sleeps until it has, or until `interrupted` says that there is something more important; it is asked
   * before the thread sleeps and whenever it is notified. Cheap: reads the clocks every 25 µs at most.
   */
  checkpoint(interrupted?: () => boolean): void;
  /** There is nothing to do: the thread is about to block. */
  block(): void;
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
      /** `free`: nobody decides, and nobody wants to know. `none`: the operating system decides as it likes. */
      readonly backend: 'free' | 'none';
    }
  | { readonly backend: 'deadline'; readonly reservation: Reservation; readonly reclaim: boolean }
  | { readonly backend: 'cooperative' }
);

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
  const answer: Answer = data.backend === 'deadline' ? setDeadline(data.reservation, data) : { ok: true };
  slot.open(threadId(), answer.ok ? undefined : answer.code);
  return new KernelThread(timeline);
}

const unscheduled: ScheduledThread = { checkpoint: () => {}, block: () => {}, unblock: () => {} };

/** Has the thread, if it waits for the processor, ask whether it is interrupted. */
export function notifyThread({ memory, slot }: ScheduledThreadData): void {
  new ThreadSlot(memory, slot).notify();
}

/**
 * The kernel decides, and the thread keeps the record. Reading the CPU clock does more than that: the kernel ends a
 * budget at its tick or when it brings its account up to date (kernel/sched/deadline.c: update_curr_dl), so that a
 * thread which does not read its clock gets up to a tick more than its budget.
 */
class KernelThread implements ScheduledThread {
  readonly #timeline: Timeline;
  readonly #recorder: SliceRecorder;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#recorder = new SliceRecorder(timeline);
  }

  checkpoint(): void {
    if (clockNs() - this.#recorder.readAtNs >= READ_NS) this.#recorder.read();
  }

  block(): void {
    this.#timeline.sleeps(this.#recorder.stops());
  }

  unblock(): void {
    this.#timeline.wakes(this.#recorder.starts());
  }
}

/**
 * A dispatcher decides: the thread runs while it has the processor, says how much CPU time it has used, and when it stops,
 * hands over to the one that is to follow.
 */
class DispatchedThread implements ScheduledThread {
  readonly #timeline: Timeline;
  readonly #recorder: SliceRecorder;
  readonly #memory: SchedulerMemory;
  readonly #number: number;
  readonly #slot: ThreadSlot;
  readonly #queue: DispatchQueue;
  /** The limit of which the dispatcher knows that it was reached. */
  #reachedNs: Nanos = 0;

  constructor(timeline: Timeline, memory: SchedulerMemory, number: number) {
    this.#timeline = timeline;
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

  block(): void {
    this.#timeline.sleeps(this.#recorder.stops());
    this.#slot.cpuNs = this.#recorder.cpuNs;
    this.#withdraws();
  }

  unblock(interrupted?: () => boolean): void {
    this.#timeline.wakes(this.#recorder.starts());
    this.#waits(interrupted, false);
  }

  /** Whether the thread has to stop. Where it need not, the dispatcher is told, and decides. */
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

  /** Waits for the processor. The dispatcher is told, if it need not have expected that. */
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

  /** Does not ask for the processor any more. */
  #withdraws(): void {
    this.#slot.isRunnable = false;
    this.#handsOver();
    this.#memory.wakeDispatcher();
  }
}
