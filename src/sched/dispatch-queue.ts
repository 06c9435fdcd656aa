import { NONE } from '../core/cpu/earliest-first.ts';
import type { Nanos } from '../core/units.ts';
import type { SchedulerMemory } from './scheduler-memory.ts';

/** How many stand in a dispatch queue at most. Whoever is the last wakes the dispatcher when it stops. */
export const QUEUE_LENGTH = 5;

/** A word has one more than the slot of each, 0 for nobody, from its lowest bits up; and one bit above. */
const SLOT_BITS = 6;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const TAKEN = 1 << (SLOT_BITS * QUEUE_LENGTH);
/** Nobody has the turn, and nobody follows. */
export const NOBODY = 0;
/** At one memory. */
export const MOST_SLOTS = SLOT_MASK;

/** Who has the turn, or `NONE`. */
export function frontOf(word: number): number {
  return (word & SLOT_MASK) - 1;
}

/** Whether the front has taken up its turn, so that nobody else may run until it stops. */
export function isTaken(word: number): boolean {
  return (word & TAKEN) !== 0;
}

/** The front has taken up its turn. */
export function taken(word: number): number {
  return word | TAKEN;
}

/** With one more in the queue, behind so many. */
export function linked(word: number, place: number, slot: number): number {
  return word | ((1 + slot) << (SLOT_BITS * place));
}

/**
 * Whose turn it is on a processor, and who follows without the dispatcher: the front of the queue takes up the turn
 * and runs, and when it stops, takes itself off the front and notifies who stands there then.
 *
 * All this is one word, which changes by compare-and-exchange only: whoever changes it knows what it was. In it,
 *   - a thread puts TAKEN to itself in front, or takes itself off; TAKEN goes with it;
 *   - the dispatcher puts a plan in place of the word that it has planned from, and leaves in front whoever has
 *     taken up the turn, apart from one that overran, and those are counted.
 * So between two that run there is always the exchange by which the first one left: at most one runs at a time. A
 * word that has changed does not come back between a reader's load and its exchange: threads only shorten the queue
 * or add TAKEN, which nobody takes off one that stays; and the dispatcher, which lengthens it, changes nothing while
 * it plans. Put in front again after an overrun, a thread has the turn without TAKEN, and so stops first.
 *
 * What may come in between:
 *   - a hand-over, while the dispatcher plans: its exchange fails, and it plans again, with what has changed;
 *   - the dispatcher, between a thread's exchange and its notification (the system may stop it there for long): the
 *     next is in front, and does not know. The dispatcher notifies whoever it finds or puts in front without TAKEN,
 *     and looks again when that should have been heard of. To be notified twice is to wake up for nothing.
 *   - a thread that goes to sleep while it stands in the queue: it says so, leaves if it is in front, and then wakes the dispatcher.
 *     If the turn comes to it after that, the look that follows its ring, or the one under way, finds in front one
 *     that is asleep, without TAKEN, and plans without it. If it wakes up and takes the turn just then, that
 *     exchange fails. Either way nobody keeps a turn that it does not use, and nobody else runs beside it.
 *
 * The limits on the slots change apart from the word, and may: each holds for its slot wherever that stands. `limitNs`
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

  /** Whether it is the thread's turn, and it has taken it up. */
  isHeldBy(slot: number): boolean {
    const { word } = this;
    return isTaken(word) && frontOf(word) === slot;
  }

  /** Takes up the turn, if it is the thread's. */
  take(slot: number): boolean {
    for (;;) {
      const { word } = this;
      if (frontOf(word) !== slot) return false;
      if (this.replace(word, taken(word))) return true;
    }
  }

  /** Gives up the turn, if it is the thread's. Returns whether somebody follows; if not, the dispatcher has to know. */
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
