import { NANOS_PER_SECOND } from '../core/units.ts';
import { type NumberedWrites, numberedActivity, numberedProgram } from './numbered-writes.ts';
import type { ProgramKind } from './program.ts';
import { parseRecording, type Recording, recordedPages } from './recording.ts';
import { upperBound } from './upper-bound.ts';

/** Repeats the page writes of a recorded program, over and over. */
export interface TraceSpec {
  readonly kind: 'trace';
  /** The recording's bytes in base64: it is the program's text and goes with it to the destination. */
  readonly recording: string;
}

/** Write k is write k mod n of the recording, in its ⌊k / n⌋-th repetition. */
function writesOf({ recording }: TraceSpec): NumberedWrites {
  const { writeAtNs, writePages, durationNs } = recordingOf(recording);
  const length = writePages.length;
  return {
    length,
    page: (k) => writePages[k % length]!,
    dueNs: (k) =>
      length === 0 ? Number.POSITIVE_INFINITY : Math.floor(k / length) * durationNs + writeAtNs[k % length]!,
    dueUntil(atNs) {
      const repetition = Math.floor(atNs / durationNs);
      return repetition * length + upperBound(writeAtNs, atNs - repetition * durationNs);
    },
    repetitionsPerSecond: NANOS_PER_SECOND / durationNs,
  };
}

export const trace: ProgramKind<TraceSpec> = {
  program: (spec) => numberedProgram(writesOf(spec)),
  activity: (spec, { pages }) => numberedActivity(writesOf(spec), pages),
  pagesNeeded: ({ recording }) => recordedPages(Buffer.from(recording, 'base64'), RECORDING),
};

/** Reads all of a recording. @throws Failure it is damaged. @throws TooLarge */
export function checkRecording({ recording }: TraceSpec): void {
  recordingOf(recording);
}

/** Without its file it has no other name. */
const RECORDING = 'recording';

function recordingOf(base64: string): Recording {
  return parseRecording(Buffer.from(base64, 'base64'), RECORDING);
}
