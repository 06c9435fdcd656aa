import { NONE } from '../core/cpu/earliest-first.ts';
import type { Nanos } from '../core/units.ts';
import type { SchedulerMemory } from './scheduler-memory.ts';

/** The most threads in a dispatch queue. The last one wakes the dispatcher when it stops. */
export const QUEUE_LENGTH = 5;

/** The queue is one word: from the lowest bits up, each thread's slot number plus 1, or 0 for nobody; above them, TAKEN. */
const SLOT_BITS = 6;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const TAKEN = 1 << (SLOT_BITS * QUEUE_LENGTH);
/** The queue is empty. */
export const NOBODY = 0;
/** The most threads that one dispatcher can schedule. */
export const MOST_SLOTS = SLOT_MASK;

/** The slot of the thread in front, or `NONE`. */
export function frontOf(word: number): number {
  return (word & SLOT_MASK) - 1;
}

/** Whether the thread in front has taken the processor, so that no other may run until it stops. */
export function isTaken(word: number): boolean {
  return (word & TAKEN) !== 0;
}

/** The word once the thread in front has taken the processor. */
export function taken(word: number): number {
  return word | TAKEN;
}

/** The word with this slot added to the queue at this place. */
export function linked(word: number, place: number, slot: number): number {
  return word | ((1 + slot) << (SLOT_BITS * place));
}

/**
 * The threads that run on a processor one after another without the dispatcher. The thread in front of the queue takes
 * the processor and runs. When it stops, it removes itself from the queue and notifies the thread that is in front then.
 *
 * The queue is one word, which changes by compare-and-exchange only:
 *   - the thread in front sets TAKEN, or removes itself, which clears TAKEN;
 *   - the dispatcher replaces the word from which it has planned by its plan. Whoever has taken the processor stays in
 *     front, unless it has overrun; overruns are counted.
 * So before a thread runs, the one before it has removed itself: at most one runs at a time. The word cannot change and
 * change back between a load and its exchange: threads only shorten the queue or set TAKEN, which stays set as long as
 * the thread is in front; and the dispatcher, which alone lengthens the queue, does not write while it plans. A thread
 * that is put in front again after an overrun is there without TAKEN, and so stops first.
 *
 * What may happen at the same time:
 *   - A thread hands over while the dispatcher plans. The dispatcher's exchange fails, and it plans again.
 *   - A thread is preempted by the system between its exchange and its notification. The next thread is in front and
 *     does not know. The dispatcher notifies every thread that it finds or puts in front without TAKEN, and plans again
 *     when that thread should have answered. A thread that is notified twice wakes up for nothing.
 *   - A thread blocks while it is in the queue. It sets its slot to blocked, removes itself if it is in front, and wakes
 *     the dispatcher. If it comes to the front later, the dispatcher finds a blocked thread in front, without TAKEN,
 *     and plans without it. If the thread unblocks and takes the processor just then, the dispatcher's exchange fails.
 *     Either way no processor stays unused, and no two threads run at once.
 *
 * The limits in the slots are not part of the word: each holds for its thread, wherever it is in the queue. `limitNs` is
 * the CPU time at which its budget is exhausted, `fromNs` the time before which it has none, and `untilNs` the time at
 * which it stops in any case.
 */
export class DispatchQueue {
  readonly #memory: SchedulerMemory;
  readonly #words: Int32Array;

  constructor(memory: SchedulerMemory, processor: number) {
    this.#memory = memory;
    this.#words = memory.wordsOf(processor);
  }

  get word(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Replaces the word, if it is still `word`. @returns whether it was */
  replace(word: number, by: number): boolean {
    return Atomics.compareExchange(this.#words, 0, word, by) === word;
  }

  /** Whether the thread has taken the processor. */
  isHeldBy(slot: number): boolean {
    const { word } = this;
    return isTaken(word) && frontOf(word) === slot;
  }

  /** Takes the processor, if the thread is in front. */
  take(slot: number): boolean {
    for (;;) {
      const { word } = this;
      if (frontOf(word) !== slot) return false;
      if (this.replace(word, taken(word))) return true;
    }
  }

  /** Gives up the processor, if the thread is in front. @returns whether another thread follows; if not, the dispatcher must be woken */
  handOver(slot: number, now: Nanos): boolean {
    for (;;) {
      const { word } = this;
      if (frontOf(word) !== slot) return false;
      const rest = (word & ~TAKEN) >>> SLOT_BITS;
      const next = frontOf(rest);
      const mayFollow = next !== NONE && this.#memory.slot(next).fromNs <= now;
      if (!this.replace(word, mayFollow ? rest : NOBODY)) continue;
      if (mayFollow) this.#memory.slot(next).notify();
      return mayFollow;
    }
  }
}
