import type { Nanos } from '../core/units.ts';
import { type Activity, type Program, writePage } from './program.ts';

/** A row of page writes that is repeated for ever: write k is the (k mod length)-th of the row. */
export interface NumberedWrites {
  readonly length: number;
  page(k: number): number;
  /** The guest time at which write k is due, from 0. */
  dueNs(k: number): Nanos;
  /** How many writes are due in (−∞, atNs]. */
  dueUntil(atNs: Nanos): number;
  /** How often in a second each write of the row comes. */
  readonly repetitionsPerSecond: number;
}

const WRITES = 0;

/** Keeps only the number of its next write. */
export function numberedProgram({ page, dueNs }: NumberedWrites): Program {
  return {
    stepCpuNs: 0,
    ownHeartbeat: false,
    boot({ registers }) {
      registers[WRITES] = 0;
    },
    nextAtNs: ({ registers }) => dueNs(registers[WRITES]!),
    step({ memory, registers }) {
      const k = registers[WRITES]!;
      writePage(memory, page(k), k);
      registers[WRITES] = k + 1;
      return false;
    },
  };
}

export function numberedActivity(writes: NumberedWrites, pages: number): Activity {
  const { length, page, dueNs, dueUntil, repetitionsPerSecond } = writes;
  return {
    kind: 'timeline',
    lastWrites(fromNs, toNs, visit) {
      const end = dueUntil(toNs);
      for (let k = Math.max(dueUntil(fromNs), end - length); k < end; k++) visit(page(k), dueNs(k));
    },
    writesPerSecond() {
      const rates = new Float64Array(pages);
      for (let k = 0; k < length; k++) rates[page(k)]! += repetitionsPerSecond;
      return rates;
    },
  };
}
