import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import { type Bytes, expected, formatDuration } from '../core/units.ts';
import { usageError } from '../platform/problem.ts';
import { readBytes } from '../platform/text-file.ts';
import type { ProgramSpec } from '../workload/programs.ts';
import { recordedNs, type TraceSpec, traceOf } from '../workload/trace.ts';
import { anyKind, kind, object, oneOfTwo } from './object-schema.ts';
import { duration, durationAboveZero, heartbeatPeriod, quantity, rate, whole } from './quantity.ts';

/** A guest's program as a scenario writes it. */
const writesPerSecond = z
  .number('a number of writes a second')
  .nonnegative('a number of writes a second, 0 or more')
  .max(inputLimits.writesPerSecond, `at most ${inputLimits.writesPerSecond} writes a second`);
/** Of the programs that write all of a working set in turn, or by chance: how much that is, and how fast. */
const workingSet = {
  pages: whole(1)
    .optional()
    .describe(
      'How many of the guest’s pages it uses. Without it: `workingSet`, or all that are not zero for good.',
    ),
  workingSet: quantity('size', `${expected.size} above 0`, (bytes) => bytes > 0)
    .optional()
    .describe('The same as a size, in whole pages. Without it: see `pages`.'),
  writesPerSecond: writesPerSecond
    .positive('a number of writes a second above 0')
    .optional()
    .describe('How many pages it writes a second, in all. Without it: `dirtyRate` says it.'),
  dirtyRate: rate
    .optional()
    .describe(
      'How fast it dirties different pages at first, all of each counted. Without it: see `writesPerSecond`.',
    ),
};
const sizes = ['pages', 'workingSet'] as const;
const rates = ['writesPerSecond', 'dirtyRate'] as const;
const ofWorkingSet = <Schema extends z.ZodType>(schema: Schema) =>
  oneOfTwo(oneOfTwo(schema, rates), sizes, 'optional');

const classOfPages = object('Class of pages', undefined, 'a class: { pages, writesPerSecond }', {
  pages: whole(1).describe('How many pages of this class.'),
  writesPerSecond: writesPerSecond.describe('How often each of them is written in a second.'),
});

const classes = kind('classes', 'Pages in classes, those of each written equally often.', {
  classes: z
    .array(classOfPages, 'a list of classes')
    .min(1, 'at least one class')
    .max(inputLimits.classes, `at most ${inputLimits.classes} classes`)
    .describe('Which pages are written how often.'),
});

const zipf = ofWorkingSet(
  z.strictObject({
    kind: z.literal('zipf'),
    ...workingSet,
    exponent: z
      .number('an exponent')
      .nonnegative('an exponent, 0 or more')
      .default(0.99)
      .describe('How unequal the pages are: 0 is uniform, 0.99 that of YCSB.'),
  }),
).meta({
  title: 'zipf',
  description: 'A few pages are written often and many seldom, by Zipf’s law.',
});

const sweeping = ofWorkingSet(
  z.strictObject({
    kind: z
      .enum(['sequential', 'saturating'])
      .describe('sequential: neighbours in their order. saturating: scattered over the memory.'),
    ...workingSet,
  }),
).meta({
  title: 'sequential, saturating',
  description: 'One page after the other, and again from the first.',
});

const stream = kind('stream', 'A media server: a frame in every period, into one buffer after the other.', {
  frame: heartbeatPeriod.prefault('40ms').describe('Time from one frame to the next.'),
  cpuPerFrame: duration.prefault('4ms').describe('CPU time that a frame takes, at most `frame`.'),
  pagesPerFrame: whole(1).default(60).describe('How many pages a frame fills.'),
  buffers: whole(1).default(600).describe('How many pages the frames are written to in turn.'),
}).transform(({ kind, frame: framePeriodNs, cpuPerFrame: cpuPerFrameNs, pagesPerFrame, buffers }) => {
  return { kind, framePeriodNs, cpuPerFrameNs, pagesPerFrame, bufferPages: buffers };
});

const trace = kind('trace', 'What a real program wrote, as recorded.', {
  file: z
    .string('the path of a recording')
    .describe('The path of a recording (`switchover record`), from the scenario’s folder.'),
  start: duration
    .optional()
    .describe(
      'The instant of the recording at which the guest begins. Without it: one drawn from the seed, another in each run.',
    ),
  speed: z
    .number('a number above 0')
    .positive('a number above 0')
    .max(inputLimits.recordingSpeed, `at most ${inputLimits.recordingSpeed}`)
    .optional()
    .describe(
      'How many times as fast as it was recorded it is replayed, for a load that is not the recorded one. Without it: 1.',
    ),
});

type TraceDocument = z.infer<typeof trace>;

const point = z.tuple(
  [durationAboveZero, z.number('a number of pages').nonnegative('a number of pages')],
  'a point: [time, dirty pages]',
);

const dirtyCurve = kind(
  'dirty-curve',
  'Known only by how many pages are dirty after a time. In virtual time alone.',
  {
    sampledPages: whole(1)
      .optional()
      .describe('How many pages the sample had. Without it: all that are not zero for good.'),
    zeroSampledPages: whole(0).default(0).describe('How many of these pages held only zeros.'),
    points: z
      .array(point, 'a list of points')
      .min(2, 'at least two points: [time, dirty pages]')
      .refine(
        (points) => points.every(([time], index) => index === 0 || time > points[index - 1]![0]),
        'points of ascending times',
      )
      .transform((points) => points.map(([periodNs, dirtySampledPages]) => ({ periodNs, dirtySampledPages })))
      .describe('How many pages of the sample are different after each time: [time, pages], ascending.'),
  },
);

const bootable = [classes, zipf, sweeping, stream] as const;

/** Programs that say of themselves which pages they write, so that a guest can be booted with them. */
export const bootableProgramSchema = anyKind('a program', bootable).meta({
  id: 'BootableProgram',
  title: 'Bootable program',
});

export const programSchema = anyKind('a program', [...bootable, trace, dirtyCurve]).meta({
  id: 'Program',
  title: 'Program',
});

export type ProgramDocument = z.infer<typeof programSchema>;

/**
 * @param file the scenario's, from which a recording's path counts; without one, it can name none
 * @throws Failure the recording that a trace names cannot be read or is damaged
 * @throws UsageError a recording may not be named; its start is after its end
 */
export function resolveProgram(
  program: ProgramDocument,
  { usedPages, pageSizeBytes }: { readonly usedPages: number; readonly pageSizeBytes: Bytes },
  file: string | undefined,
): ProgramSpec {
  switch (program.kind) {
    case 'classes':
    case 'stream':
      return program;
    case 'zipf':
    case 'sequential':
    case 'saturating': {
      const { workingSet, dirtyRate, ...others } = program;
      const allPages = workingSet === undefined ? usedPages : Math.ceil(workingSet / pageSizeBytes);
      return {
        ...others,
        pages: others.pages ?? allPages,
        // One of the two is there.
        writesPerSecond: others.writesPerSecond ?? dirtyRate! / pageSizeBytes,
      };
    }
    case 'trace':
      if (file === undefined) {
        throw usageError('guest.program.file', 'a scenario file that names it', program.file);
      }
      return resolveTrace(program, resolve(dirname(file), program.file));
    case 'dirty-curve':
      return { ...program, sampledPages: program.sampledPages ?? usedPages };
  }
}

function resolveTrace({ start: startNs, speed }: TraceDocument, file: string): TraceSpec {
  const spec = traceOf(readBytes(file, inputLimits.recordingBytes), file);
  const lengthNs = recordedNs(spec);
  if (startNs !== undefined && startNs >= lengthNs) {
    const earlier = `less than ${formatDuration(lengthNs)}, the recording’s length`;
    throw usageError('guest.program.start', earlier, formatDuration(startNs));
  }
  return { ...spec, ...(startNs !== undefined && { startNs }), ...(speed !== undefined && { speed }) };
}
