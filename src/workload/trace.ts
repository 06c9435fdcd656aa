import { Random } from '../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { type NumberedWrites, numberedActivity, numberedProgram } from './numbered-writes.ts';
import type { ProgramKind } from './program.ts';
import { parseRecording, type Recording, recordedPages } from './recording.ts';
import { upperBound } from './upper-bound.ts';

/** Repeats the page writes of a recorded program, over and over: after its end the recording begins anew. */
export interface TraceSpec {
  readonly kind: 'trace';
  /** The recording's bytes in base64: it is the program's text and goes with it to the destination. */
  readonly recording: string;
  /** The instant of the recording at which the guest begins. Without: it is drawn from the guest's seed. */
  readonly startNs?: Nanos | undefined;
  /** How many times as fast as it was recorded. Without: as it was. */
  readonly speed?: number | undefined;
}

/** The stream of random numbers of a guest's seed that its start is drawn from. */
const START_STREAM = 9;

/**
 * The instant of its recording at which a guest begins: any is as likely as any other, as nobody chooses when a migration
 * begins by what the program does just then.
 */
export function recordingStartNs({ recording, startNs }: TraceSpec, seed: number): Nanos {
  if (startNs !== undefined) return startNs;
  return Math.floor(Random.seeded(seed, START_STREAM).uniform() * recordingOf(recording).durationNs);
}

/** Write k of the guest is write `over + k` of the recording, which never ends; so many are over when the guest begins. */
function writesOf(spec: TraceSpec, seed: number): NumberedWrites {
  const { recording, speed = 1 } = spec;
  const { writeAtNs, writePages, durationNs } = atSpeed(recordingOf(recording), speed);
  // In whole nanoseconds, so that all instants are exact.
  const startNs = Math.floor(recordingStartNs(spec, seed) / speed);
  const length = writePages.length;
  const dueUntil = (atNs: Nanos) => {
    const repetition = Math.floor(atNs / durationNs);
    return repetition * length + upperBound(writeAtNs, atNs - repetition * durationNs);
  };
  const over = dueUntil(startNs);
  return {
    length,
    page: (k) => writePages[(over + k) % length]!,
    dueNs(k) {
      if (length === 0) return Number.POSITIVE_INFINITY;
      const write = over + k;
      return Math.floor(write / length) * durationNs + writeAtNs[write % length]! - startNs;
    },
    dueUntil: (atNs) => dueUntil(startNs + atNs) - over,
    repetitionsPerSecond: NANOS_PER_SECOND / durationNs,
  };
}

/** The same writes in the same order, closer together: its bursts are shorter and its sweeps faster, and nothing else is changed. */
function atSpeed(recording: Recording, speed: number): Recording {
  if (speed === 1) return recording;
  const { writeAtNs, durationNs } = recording;
  return { ...recording, writeAtNs: writeAtNs.map((atNs) => atNs / speed), durationNs: durationNs / speed };
}

export const trace: ProgramKind<TraceSpec> = {
  program: (spec, { seed }) => numberedProgram(writesOf(spec, seed)),
  activity: (spec, { pages, seed }) => numberedActivity(writesOf(spec, seed), pages),
  pagesNeeded: ({ recording }) => recordedPages(Buffer.from(recording, 'base64'), RECORDING),
};

/** The program that replays a recording. @param name of the file @throws Failure it is damaged. @throws TooLarge */
export function traceOf(bytes: Uint8Array, name: string): TraceSpec {
  const recording = Buffer.from(bytes).toString('base64');
  recordingOf(recording, name);
  return { kind: 'trace', recording };
}

/** Reads all of a recording. @throws Failure, TooLarge as `traceOf` */
export function checkRecording({ recording }: TraceSpec): void {
  recordingOf(recording);
}

/** How long it is. @throws Failure, TooLarge as `traceOf` */
export function recordedNs({ recording }: TraceSpec): Nanos {
  return recordingOf(recording).durationNs;
}

/** Without its file it has no other name. */
const RECORDING = 'recording';

/** The one that was read last, as long as somebody uses it: the migrations of a scenario read the same again and again. */
let last: { readonly base64: string; readonly recording: WeakRef<Recording> } | undefined;

function recordingOf(base64: string, name = RECORDING): Recording {
  const known = last?.base64 === base64 ? last.recording.deref() : undefined;
  if (known) return known;
  const recording = parseRecording(Buffer.from(base64, 'base64'), name);
  last = { base64, recording: new WeakRef(recording) };
  return recording;
}
