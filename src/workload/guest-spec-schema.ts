import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import type { GuestSpec } from './programs.ts';

/** A guest as it is described on the wire: what a destination accepts from anybody. */
const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const positive = whole.min(1);
const rate = z.number().nonnegative().max(inputLimits.writesPerSecond);
const heartbeatPeriodNs = whole.min(inputLimits.shortestHeartbeatNs);

const program = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('classes'),
    classes: z.array(z.strictObject({ pages: positive, writesPerSecond: rate })).max(inputLimits.classes),
  }),
  z.strictObject({
    kind: z.literal('zipf'),
    pages: positive,
    exponent: rate,
    writesPerSecond: rate.positive(),
  }),
  z.strictObject({
    kind: z.enum(['sequential', 'saturating']),
    pages: positive,
    writesPerSecond: rate.positive(),
  }),
  z.strictObject({
    kind: z.literal('stream'),
    framePeriodNs: heartbeatPeriodNs,
    cpuPerFrameNs: whole,
    pagesPerFrame: positive,
    bufferPages: positive,
  }),
  z.strictObject({
    kind: z.literal('trace'),
    recording: z.string(),
    startNs: whole.optional(),
    speed: rate.positive().max(inputLimits.recordingSpeed).optional(),
  }),
]);

const bursts = z
  .strictObject({ everyNs: positive, lengthNs: positive, factor: rate.positive().max(1000) })
  .refine(({ everyNs, lengthNs }) => lengthNs < everyNs, 'shorter than their period');

export const guestSpecSchema: z.ZodType<GuestSpec> = z.strictObject({
  name: z.string().max(200),
  pages: positive.max(2 ** 32 - 1),
  pageSizeBytes: positive
    .min(512)
    .max(inputLimits.pageBytes)
    .refine((size) => (size & (size - 1)) === 0, 'a power of two'),
  zeroPages: whole,
  program,
  heartbeatPeriodNs,
  cpuPerWriteNs: whole,
  device: z
    .strictObject({
      stateBytes: whole.max(inputLimits.deviceStateBytes),
      timeNs: whole.max(inputLimits.deviceTimeNs),
    })
    .optional(),
  bursts: bursts.optional(),
  seed: whole,
});
