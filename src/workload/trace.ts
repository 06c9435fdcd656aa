import type { Nanos } from '../core/units.ts';
import { type Activity, numberedWrites, type Program } from './program.ts';
import { type Recording, recordedWritesPerSecond } from './recording.ts';

/** Repeats the page writes of a recorded program, over and over. */
export interface TraceSpec {
  readonly kind: 'trace';
  /** The recording's bytes in base64: it is the program's text and goes with it to the destination. */
  readonly recording: string;
}

export function traceProgram(recording: Recording): Program {
  const count = recording.writePages.length;
  const neverNs = () => Number.POSITIVE_INFINITY;
  return numberedWrites(count === 0 ? neverNs : dueNsIn(recording), (k) => recording.writePages[k % count]!);
}

/** When write k is due: it is write k mod n of the recording, in its ⌊k / n⌋-th repetition. */
function dueNsIn({ writeAtNs, durationNs }: Recording): (k: number) => Nanos {
  const count = writeAtNs.length;
  return (k) => Math.floor(k / count) * durationNs + writeAtNs[k % count]!;
}

export function traceActivity(recording: Recording, pages: number): Activity {
  const { writeAtNs, writePages, durationNs } = recording;
  const count = writeAtNs.length;
  const dueNs = dueNsIn(recording);
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
        visit(writePages[write % count]!, dueNs(write));
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
