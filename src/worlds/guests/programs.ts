import { type ClassesSpec, classesActivity, classesProgram } from './classes.ts';
import type { Activity, Program } from './program.ts';
import { parseRecording, type Recording } from './recording.ts';
import { type SequentialSpec, sequentialActivity, sequentialProgram } from './sequential.ts';
import { type StreamSpec, streamActivity, streamProgram } from './stream.ts';
import { type TraceSpec, traceActivity, traceProgram } from './trace.ts';

/** A guest's program as data. */
export type ProgramSpec = ClassesSpec | SequentialSpec | StreamSpec | TraceSpec;

/** A guest, all of it as data: enough to boot it here, or to run it on where its memory has arrived. */
export interface GuestSpec {
  readonly name: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
  readonly program: ProgramSpec;
  readonly heartbeatPeriodNs: number;
  readonly seed: number;
}

/** The program that a specification describes. @throws Failure a damaged recording. */
export function programOf({ program, pages, seed }: GuestSpec): Program {
  switch (program.kind) {
    case 'classes':
      return classesProgram(program, pages, seed);
    case 'sequential':
      return sequentialProgram(program);
    case 'stream':
      return streamProgram(program, pages);
    case 'trace':
      return traceProgram(recordingOf(program));
  }
}

/** The same program as a process in time. @throws Failure a damaged recording. */
export function activityOf({ program, pages, seed }: GuestSpec): Activity {
  switch (program.kind) {
    case 'classes':
      return classesActivity(program, pages, seed);
    case 'sequential':
      return sequentialActivity(program, pages);
    case 'stream':
      return streamActivity(program, pages);
    case 'trace':
      return traceActivity(recordingOf(program), pages);
  }
}

/** How often each page is written in the long run: perfect knowledge of the guest. */
export function writesPerSecondOf(spec: GuestSpec): Float64Array {
  const activity = activityOf(spec);
  if (activity.kind === 'timeline') return activity.writesPerSecond();
  const rates = new Float64Array(spec.pages);
  for (const group of activity.groups) for (const page of group.pages) rates[page] = group.writesPerSecond;
  return rates;
}

function recordingOf(spec: TraceSpec): Recording {
  return parseRecording(Buffer.from(spec.recording, 'base64'), 'recording');
}
