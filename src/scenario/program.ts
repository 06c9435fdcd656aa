import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { expected, parseDuration } from '../core/units.ts';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import type { ProgramSpec } from '../workload/programs.ts';
import { parseRecording } from '../workload/recording.ts';
import { quantity, whole } from './quantity.ts';

/** A guest's program as a scenario writes it. */
const duration = quantity(parseDuration, expected.duration);
const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
const writesPerSecond = z
  .number('a number of writes a second')
  .nonnegative('a number of writes a second, 0 or more');
const someWrites = writesPerSecond.positive('a number of writes a second above 0');

const kinds = 'classes | zipf | sequential | saturating | stream | trace | dirty-curve';

export const programSchema = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('classes'),
      classes: z
        .array(
          z.strictObject({ pages: whole(1), writesPerSecond }, 'a class: { pages, writesPerSecond }'),
          'a list of classes',
        )
        .min(1, 'at least one class'),
    }),
    z.strictObject({
      kind: z.literal('zipf'),
      pages: whole(1).optional(),
      exponent: z.number('an exponent').nonnegative('an exponent, 0 or more').default(0.99),
      writesPerSecond: someWrites,
    }),
    z.strictObject({
      kind: z.enum(['sequential', 'saturating']),
      pages: whole(1).optional(),
      writesPerSecond: someWrites,
    }),
    z.strictObject({
      kind: z.literal('stream'),
      frame: someTime.default(40e6),
      cpuPerFrame: duration.default(4e6),
      pagesPerFrame: whole(1).default(60),
      buffers: whole(1).default(600),
    }),
    z.strictObject({ kind: z.literal('trace'), file: z.string('the path of a recording') }),
    z.strictObject({
      kind: z.literal('dirty-curve'),
      sampledPages: whole(1).optional(),
      zeroSampledPages: whole(0).default(0),
      points: z
        .array(
          z.tuple(
            [someTime, z.number('a number of pages').nonnegative('a number of pages')],
            'a point: [time, dirty pages]',
          ),
          'a list of points',
        )
        .min(2, 'at least two points: [time, dirty pages]')
        .refine(
          (points) => points.every(([time], index) => index === 0 || time > points[index - 1]![0]),
          'points of ascending times',
        ),
    }),
  ],
  `a program: { kind: ${kinds}, … }`,
);

export type ProgramDocument = z.infer<typeof programSchema>;

/**
 * @param file the scenario's, from which a recording's path counts; without one, it can name none
 * @throws Failure the recording that a trace names cannot be read or is damaged
 * @throws UsageError a recording may not be named
 */
export function resolveProgram(
  program: ProgramDocument,
  usedPages: number,
  file: string | undefined,
): ProgramSpec {
  switch (program.kind) {
    case 'classes':
      return program;
    case 'zipf':
    case 'sequential':
    case 'saturating':
      return { ...program, pages: program.pages ?? usedPages };
    case 'stream':
      return {
        kind: 'stream',
        framePeriodNs: program.frame,
        cpuPerFrameNs: program.cpuPerFrame,
        pagesPerFrame: program.pagesPerFrame,
        bufferPages: program.buffers,
      };
    case 'trace':
      if (file === undefined) {
        const path = 'guest.program.file';
        throw new UsageError([
          { path, expected: 'a scenario file that names it', found: shown(program.file) },
        ]);
      }
      return {
        kind: 'trace',
        recording: readRecording(resolve(dirname(file), program.file)).toString('base64'),
      };
    case 'dirty-curve':
      return {
        kind: 'dirty-curve',
        sampledPages: program.sampledPages ?? usedPages,
        zeroSampledPages: program.zeroSampledPages,
        points: program.points.map(([periodNs, dirtySampledPages]) => ({ periodNs, dirtySampledPages })),
      };
  }
}

function readRecording(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new Failure(`cannot read the recording ${file}: ${reasonOf(cause)}`);
  }
  parseRecording(bytes, file);
  return bytes;
}
