import { Failure } from '../../platform/failure.ts';

/** So many connections of a process can be asked about at the same time. */
const SLOTS = 256;
/** Longer than this nobody waits for an answer: the thread that gives it has no processor. */
const PATIENCE_MS = 20;

/** Words of shared memory: the bell, and of each slot its state, the descriptor that is asked about, and the answer. */
const BELL = 0;
const SLOT_WORDS = 3;
const [STATE, DESCRIPTOR, ANSWER] = [0, 1, 2];

/** Of a slot. */
const states = { free: 0, taken: 1, asked: 2 } as const;

export function unsentMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (1 + SLOTS * SLOT_WORDS));
}

/**
 * How many bytes of a connection TCP has taken but not sent: they wait in the kernel for a receiver that does not read, and
 * leave in a burst when it does. Asked of a thread that can ask the kernel (`answerQuestions`), since a thread that comes and
 * goes should not load koffi (libc.ts).
 */
export class UnsentBytes {
  readonly slot: number;
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param slot one that another thread has taken for this one. @throws Failure too many ask already */
  constructor(memory: SharedArrayBuffer, slot?: number) {
    this.#words = new Int32Array(memory);
    this.slot = slot ?? this.#taken();
    this.#at = wordOf(this.slot);
  }

  /** @returns undefined: nobody can tell, or not now */
  of(descriptor: number): number | undefined {
    const words = this.#words;
    const state = this.#at + STATE;
    // An answer that came too late is for a question of long ago: it is waited for again before another is asked.
    if (Atomics.load(words, state) === states.taken) {
      words[this.#at + DESCRIPTOR] = descriptor;
      Atomics.store(words, state, states.asked);
      Atomics.add(words, BELL, 1);
      Atomics.notify(words, BELL);
    }
    if (Atomics.wait(words, state, states.asked, PATIENCE_MS) === 'timed-out') return undefined;
    const answer = words[this.#at + ANSWER]!;
    return answer < 0 ? undefined : answer;
  }

  /** Nobody asks here any more. */
  release(): void {
    Atomics.store(this.#words, this.#at + STATE, states.free);
  }

  #taken(): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      const state = wordOf(slot) + STATE;
      if (Atomics.compareExchange(this.#words, state, states.free, states.taken) === states.free) return slot;
    }
    throw new Failure(`more than ${SLOTS} migrations at once`);
  }
}

function wordOf(slot: number): number {
  return 1 + slot * SLOT_WORDS;
}

/** Answers all questions, for ever. @param unsentOf negative: not known */
export function answerQuestions(memory: SharedArrayBuffer, unsentOf: (descriptor: number) => number): never {
  const words = new Int32Array(memory);
  for (;;) {
    const rung = Atomics.load(words, BELL);
    for (let at = 1; at < words.length; at += SLOT_WORDS) {
      if (Atomics.load(words, at + STATE) !== states.asked) continue;
      words[at + ANSWER] = unsentOf(words[at + DESCRIPTOR]!);
      // Unless whoever asked has released it meanwhile.
      Atomics.compareExchange(words, at + STATE, states.asked, states.taken);
      Atomics.notify(words, at + STATE);
    }
    Atomics.wait(words, BELL, rung);
  }
}
