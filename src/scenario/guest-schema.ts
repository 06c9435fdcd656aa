import type { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import { expected, formatDuration, formatSize } from '../core/units.ts';
import { reservationSchema } from './cpu.ts';
import { definition, object } from './object-schema.ts';
import { programSchema } from './program.ts';
import { duration, freeName, heartbeatPeriod, quantity, whole } from './quantity.ts';

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

/** A guest as a scenario writes it. Only `pages` and `program` are required. */
export const guestSchema = definition(
  'Scenario guest',
  'The guest: its memory, and the program that writes it.',
  'a guest: { pages, program, … }',
  {
    name: freeName(200).default('guest').describe('What it is called.'),
    pages: whole(2, inputLimits.guestPages).describe('N, the number of pages of its memory.'),
    zeroPages: whole(0).default(0).describe('How many, the last ones, stay zero: they are sent as a header.'),
    pageSize: quantity(
      'size',
      'a page size that is a power of two from 512B to 1MiB',
      (bytes) => bytes >= 512 && bytes <= 2 ** 20 && (bytes & (bytes - 1)) === 0,
    )
      .prefault('4KiB')
      .describe('P, the size of a page: a power of two from 512B to 1MiB.'),
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
  },
);

export type GuestDocument = z.infer<typeof guestSchema>;
