import { NONE } from '../core/cpu/earliest-first.ts';
import type { Nanos } from '../core/units.ts';
import type { SchedulerMemory } from './scheduler-memory.ts';

/** How many threads are in a dispatch queue at most. The last one wakes the dispatcher when it stops. */
export const QUEUE_LENGTH = 5;

/** A word has one more than the slot of each, 0 for nobody, from its lowest bits up; and one bit above. */
const SLOT_BITS = 6;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const TAKEN = 1 << (SLOT_BITS * QUEUE_LENGTH);
/** Nobody has the processor, and nobody follows. */
export const NOBODY = 0;
/** At one memory. */
export const MOST_SLOTS = SLOT_MASK;

/** Who runs now or next, or `NONE`. */
export function frontOf(word: number): number {
  return (word & SLOT_MASK) - 1;
}

/** Whether the front has taken the processor, so that nobody else may run until it stops. */
export function isTaken(word: number): boolean {
  return (word & TAKEN) !== 0;
}

/** The front has taken the processor. */
export function taken(word: number): number {
  return word | TAKEN;
}

/** With one more in the queue, behind so many. */
export function linked(word: number, place: number, slot: number): number {
  return word | ((1 + slot) << (SLOT_BITS * place));
}

/**
 * Who runs on a processor, and who follows without the dispatcher: the front of the queue takes the processor
 * and runs, and when it stops, takes itself off the front and notifies the one that is in front then.
 *
 * All this is one word, which changes by compare-and-exchange only: whoever changes it knows what it was. In it,
 *   - a thread puts TAKEN to itself in front, or takes itself off; TAKEN goes with it;
 *   - the dispatcher puts a plan in place of the word that it has planned from, and leaves in front whoever has
 *     taken the processor, apart from one that overran, and those are counted.
 * So between two that run there is always the exchange by which the first one left: at most one runs at a time. A
 * word that has changed does not come back between a reader's load and its exchange: threads only shorten the queue
 * or add TAKEN, which nobody takes off one that stays; and the dispatcher, which lengthens it, changes nothing while
 * it plans. Put in front again after an overrun, a thread is there without TAKEN, and so stops first.
 *
 * What may come in between:
 *   - a hand-over, while the dispatcher plans: its exchange fails, and it plans again, with what has changed;
 *   - the dispatcher, between a thread's exchange and its notification (the system may stop it there for long): the
 *     next is in front, and does not know. The dispatcher notifies whoever it finds or puts in front without TAKEN,
 *     and plans again when it should have heard from it. A thread that is notified twice wakes up for nothing.
 *   - a thread that blocks while it is in the queue: it says so, leaves if it is in front, and then wakes the dispatcher.
 *     If it comes to the front after that, the dispatcher, which it has woken or which is at work, finds in front one
 *     that is blocked, without TAKEN, and plans without it. If it unblocks and takes the processor just then, the
 *     dispatcher's exchange fails. Either way nobody keeps a processor unused, and nobody else runs beside it.
 *
 * The limits on the slots change apart from the word, and may: each holds for its slot wherever that is in the queue. `limitNs`
 * is the budget, `fromNs` the time before which there is none, and by `untilNs` a thread stops too early at worst.
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

  /** Returns whether the word was still that. */
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

  /** Gives up the processor, if the thread is in front. @returns whether another one follows; if not, the dispatcher has to know */
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
