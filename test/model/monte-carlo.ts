import type { PageSet } from '../../src/core/migration/pages.ts';
import type { Random } from '../../src/core/random.ts';

export interface Simulated {
  readonly writesPerSecond: Float64Array;
  readonly slotSeconds: number;
  /** All pages; the dirty ones of them are sent in this order. */
  readonly order: Uint32Array;
  readonly deferred?: PageSet;
  readonly clear?: 'page' | 'round';
  /** How many slots after its turn has come a page is read; without: none. */
  readonly readAfterSlots?: number;
  readonly rounds: number;
}

/**
 * One migration, page by page: which pages are dirty is known after every round, and so, to the slot, for how long
 * each page can be written in the next. Returns how many each round sends and, last, how many are left for the stop.
 */
export function simulate(migration: Simulated, random: Random): number[] {
  const { writesPerSecond, slotSeconds, order, deferred, clear = 'page', rounds } = migration;
  const { readAfterSlots = 0 } = migration;
  let dirty = new Uint8Array(order.length).fill(1);
  const sent: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const slots = order.reduce((sum, page) => sum + (deferred?.has(page) ? 0 : dirty[page]!), 0);
    const after = new Uint8Array(order.length);
    let position = 0;
    for (const page of order) {
      const waits = dirty[page] === 1 && deferred?.has(page) === true;
      const exposed = dirty[page] === 1 && clear === 'page' ? slots - position - readAfterSlots : slots;
      if (dirty[page] === 1 && !waits) position += 1;
      const written = random.uniform() < 1 - Math.exp(-writesPerSecond[page]! * slotSeconds * exposed);
      after[page] = waits || written ? 1 : 0;
    }
    dirty = after;
    sent.push(slots);
  }
  sent.push(dirty.reduce((sum, bit) => sum + bit, 0));
  return sent;
}

/** What so many migrations leave for the stop, ascending. */
export function leftovers(migration: Simulated, runs: number, random: Random): Float64Array {
  return Float64Array.from({ length: runs }, () => simulate(migration, random).at(-1)!).sort();
}

export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(Array.from(values, (value) => (value - mean) ** 2)));
}
