import { type Activity, type Program, writePage } from './program.ts';
import { type Recording, recordedWritesPerSecond } from './recording.ts';

/** Repeats the page writes of a recorded program, over and over. */
export interface TraceSpec {
  readonly kind: 'trace';
  /** The recording's bytes in base64: it is the program's text and goes with it to the destination. */
  readonly recording: string;
}

const WRITES = 0;

/** Write k is write k mod n of the recording, in its ⌊k / n⌋-th repetition. */
export function traceProgram(recording: Recording): Program {
  const { writeAtNs, writePages, durationNs } = recording;
  const count = writeAtNs.length;
  return {
    stepCpuNs: 0,
    ownHeartbeat: false,
    boot({ registers }) {
      registers[WRITES] = 0;
    },
    nextAtNs({ registers }) {
      const write = registers[WRITES]!;
      return count === 0
        ? Number.POSITIVE_INFINITY
        : Math.floor(write / count) * durationNs + writeAtNs[write % count]!;
    },
    step({ memory, registers }) {
      const write = registers[WRITES]!;
      writePage(memory, writePages[write % count]!, write);
      registers[WRITES] = write + 1;
      return false;
    },
  };
}

export function traceActivity(recording: Recording, pages: number): Activity {
  const { writeAtNs, writePages, durationNs } = recording;
  const count = writeAtNs.length;
  /** The number of writes in (−∞, atNs]. */
  const writesUntil = (atNs: number): number => {
    const repetition = Math.floor(atNs / durationNs);
    return repetition * count + upperBound(writeAtNs, atNs - repetition * durationNs);
  };
  return {
    kind: 'timeline',
    lastWrites(fromNs, toNs, visit) {
      const end = writesUntil(toNs);
      for (let write = Math.max(writesUntil(fromNs), end - count); write < end; write++) {
        visit(writePages[write % count]!, Math.floor(write / count) * durationNs + writeAtNs[write % count]!);
      }
    },
    writesPerSecond: () => recordedWritesPerSecond(recording, pages),
  };
}

/** How many of the ascending `values` are at most `limit`. */
function upperBound(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
