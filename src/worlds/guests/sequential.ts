import { NANOS_PER_SECOND } from '../../core/units.ts';
import { type Activity, type Program, writePage } from './program.ts';

/** Writes the first `pages` pages one after another at a steady rate, and again from the start. */
export interface SequentialSpec {
  readonly kind: 'sequential';
  readonly pages: number;
  readonly writesPerSecond: number;
}

const WRITES = 0;

/** Write number k (from 0) is due at (k + 1) / rate and goes to page k mod n. */
export function sequentialProgram(spec: SequentialSpec): Program {
  const gapNs = NANOS_PER_SECOND / spec.writesPerSecond;
  return {
    stepCpuNs: 0,
    ownHeartbeat: false,
    boot({ registers }) {
      registers[WRITES] = 0;
    },
    nextAtNs: ({ registers }) => (registers[WRITES]! + 1) * gapNs,
    step({ memory, registers }) {
      const write = registers[WRITES]!;
      writePage(memory, write % spec.pages, write);
      registers[WRITES] = write + 1;
      return false;
    },
  };
}

export function sequentialActivity(spec: SequentialSpec, pages: number): Activity {
  const gapNs = NANOS_PER_SECOND / spec.writesPerSecond;
  return {
    kind: 'timeline',
    lastWrites(fromNs, toNs, visit) {
      const after = Math.floor(toNs / gapNs);
      const first = Math.max(Math.floor(fromNs / gapNs), after - spec.pages);
      for (let write = first; write < after; write++) visit(write % spec.pages, (write + 1) * gapNs);
    },
    writesPerSecond: () => new Float64Array(pages).fill(spec.writesPerSecond / spec.pages, 0, spec.pages),
  };
}
