import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import { expected, formatDuration, formatSize } from '../core/units.ts';
import { reservationSchema } from './cpu.ts';
import { object, oneOfTwo } from './object-schema.ts';
import { programSchema } from './program.ts';
import { duration, freeName, heartbeatPeriod, quantity, size, whole } from './quantity.ts';

const { deviceStateBytes, deviceTimeNs } = inputLimits;
const device = object(
  'Devices',
  'What the devices of the guest add to every stop.',
  'what devices add to a stop: { state, time }',
  {
    state: quantity(
      'size',
      `${expected.size}, at most ${formatSize(deviceStateBytes)}`,
      (bytes) => bytes <= deviceStateBytes,
    )
      .prefault(0)
      .describe('Their state, a size: sent at `link.stopRate` after the last pages, while the guest stands.'),
    time: quantity(
      'duration',
      `${expected.duration}, at most ${formatDuration(deviceTimeNs)}`,
      (ns) => ns <= deviceTimeNs,
    )
      .prefault(0)
      .describe('A time that passes then besides: to save and restore them.'),
  },
).transform(({ state: stateBytes, time: timeNs }) =>
  stateBytes + timeNs === 0 ? undefined : { stateBytes, timeNs },
);

const isPageSize = (bytes: number) =>
  bytes >= 512 && bytes <= inputLimits.pageBytes && (bytes & (bytes - 1)) === 0;

/** The keys of a guest, whoever writes it. */
export const guestShape = {
  name: freeName(200).default('guest').describe('What it is called.'),
  pages: whole(2, inputLimits.guestPages)
    .optional()
    .describe('N, the number of pages of its memory. Without it: `memory` says how large that is.'),
  memory: size
    .optional()
    .describe('Its memory, a size: whole pages of `pageSize`. Without it: `pages` says how many they are.'),
  zeroPages: whole(0).default(0).describe('How many, the last ones, stay zero: they are sent as a header.'),
  pageSize: quantity('size', 'a page size that is a power of two from 512B to 1GiB', isPageSize)
    .prefault('4KiB')
    .describe(
      'P, the size of a page, a power of two from 512B to 1GiB: what is written anywhere in it travels whole.',
    ),
  program: programSchema.describe('Which pages it writes, and how often.'),
  heartbeat: heartbeatPeriod
    .prefault('10ms')
    .describe('How often it sends its client a heartbeat, a time. A stream sends one a frame.'),
  cpuPerWrite: duration
    .prefault(0)
    .describe('CPU time that a write takes. Not for a stream, which has `cpuPerFrame`, nor a dirty-curve.'),
  device: device
    .optional()
    .describe('Devices whose state can be moved only while the guest stands. Without it: none.'),
  reservation: reservationSchema.describe('What is reserved for it of a processor. Without it: nothing.'),
};

/** The two ways to say how large it is. */
export const sizeKeys = ['pages', 'memory'] as const;

/** A guest as a scenario writes it. Only its size and `program` are required. */
export const guestSchema = oneOfTwo(
  z.strictObject(guestShape, 'a guest: { pages or memory, program, … }'),
  sizeKeys,
).meta({
  id: 'ScenarioGuest',
  title: 'Scenario guest',
  description: 'The guest: its memory, and the program that writes it.',
});

export type GuestDocument = z.infer<typeof guestSchema>;
