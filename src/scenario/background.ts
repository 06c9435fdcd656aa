import { z } from 'zod';
import type { Antagonist } from '../core/antagonist.ts';
import { type BytesPerSecond, expected, formatRate } from '../core/units.ts';
import type { Bursts } from '../workload/program-clock.ts';
import type { Insist } from './checked.ts';
import { anyKind, kind } from './object-schema.ts';
import { duration, durationAboveZero, quantity, rate, rateOrZero, whole } from './quantity.ts';

/** What works against the migration, each kind with its intensity. A count of 0 is nobody. */
const count = whole(0, 1000).default(1).describe('How many of them; 0 is none.');
const every = durationAboveZero.describe('Period, a time: once in every period it happens.');
const length = duration.describe('How long it lasts each time, less than `every`; 0 is never.');

export const cpuHogSchema = kind('cpu-hog', 'Programs that always want a processor.', { count });

const memoryHog = kind('memory-hog', 'Threads that take memory bandwidth. Not in virtual time.', {
  count,
  size: quantity('size', `${expected.size}, at least 1MiB`, (bytes) => bytes >= 2 ** 20)
    .prefault('64MiB')
    .describe('Memory that each writes through again and again, at least 1MiB.'),
}).transform(({ kind, count, size: bytes }) => (count === 0 ? undefined : { kind, count, bytes }));

const garbage = kind('garbage', 'Threads that keep the garbage collector busy. Not in virtual time.', {
  count,
  rate: rate.describe('Garbage that each makes, in bytes or bits a second.'),
}).transform(({ kind, count, rate: bytesPerSecond }) =>
  count === 0 ? undefined : { kind, count, bytesPerSecond },
);

const crossTraffic = kind('cross-traffic', 'Others send over the same link.', {
  rate: rateOrZero.describe('What others send over the link; it is taken from `link.capacity`.'),
}).transform(({ kind, rate: bytesPerSecond }) =>
  bytesPerSecond === 0 ? undefined : { kind, bytesPerSecond },
);

const linkDrop = kind('link-drop', 'The link slows down or fails again and again.', {
  every,
  length,
  rate: rateOrZero.prefault(0).describe('What the link still carries meanwhile; 0 is an outage.'),
}).transform(({ kind, every: everyNs, length: lengthNs, rate: bytesPerSecond }) =>
  lengthNs === 0 ? undefined : { kind, everyNs, lengthNs, bytesPerSecond },
);

const slowDestination = kind('slow-destination', 'The destination takes no more than so much.', {
  rate: rate.describe('The most that the destination takes.'),
}).transform(({ kind, rate: bytesPerSecond }) => ({ kind, bytesPerSecond }));

const guestBurst = kind('guest-burst', "The guest's own program runs faster now and then.", {
  every,
  length,
  factor: z
    .number('a number')
    .positive('a number above 0')
    .max(1000, 'a number, at most 1000')
    .describe("How many times as fast the guest's program runs meanwhile; 1 is no burst."),
}).transform(({ kind, every: everyNs, length: lengthNs, factor }) =>
  lengthNs === 0 || factor === 1 ? undefined : { kind, everyNs, lengthNs, factor },
);

const timerNoise = kind('timer-noise', 'Whenever the sender is woken, it wakes later.', {
  mean: duration.describe('Mean delay, a time, exponentially distributed; 0 is none.'),
}).transform(({ kind, mean: meanNs }) => (meanNs === 0 ? undefined : { kind, meanNs }));

const kinds = [
  cpuHogSchema,
  memoryHog,
  garbage,
  crossTraffic,
  linkDrop,
  slowDestination,
  guestBurst,
  timerNoise,
] as const;

/** Each kind with its intensity; those of no intensity are undefined. */
export const backgroundSchema = z
  .array(
    anyKind('an antagonist', kinds).meta({ id: 'Antagonist', title: 'Antagonist' }),
    'a list of antagonists',
  )
  .prefault([])
  .describe('What works against the migration, each kind with its intensity.');

export type BackgroundDocument = z.infer<typeof backgroundSchema>;

/** All but the hogs, which compete under the scheduler and belong to the CPU plan. */
export function resolveAntagonists(background: BackgroundDocument): readonly Antagonist[] {
  return background.flatMap((each) => (each && each.kind !== 'cpu-hog' ? [each] : []));
}

/** The guest that is to run in bursts, if it is. */
export function burstingGuest<Guest extends object>(
  guest: Guest,
  antagonists: readonly Antagonist[],
): Guest & { readonly bursts?: Bursts } {
  const burst = antagonists.find((each) => each.kind === 'guest-burst');
  if (!burst) return guest;
  const { kind: _, ...bursts } = burst;
  return { ...guest, bursts };
}

/** Calls `insist` for what each antagonist needs of the rest of the scenario. */
export function checkAntagonists(
  antagonists: readonly Antagonist[],
  capacity: BytesPerSecond | undefined,
  insist: Insist,
): void {
  let cross = 0;
  for (const each of antagonists) {
    if (each.kind === 'cross-traffic') cross += each.bytesPerSecond;
    if (each.kind !== 'link-drop' && each.kind !== 'guest-burst') continue;
    const { kind, lengthNs, everyNs } = each;
    insist(lengthNs < everyNs, `background ${kind}.length`, 'less than every', `${lengthNs / 1e6}ms`);
  }
  const bursts = antagonists.filter(({ kind }) => kind === 'guest-burst').length;
  insist(bursts <= 1, 'background guest-burst', 'one, as the guest has one program', bursts);
  if (cross === 0) return;
  insist(capacity !== undefined, 'link.capacity', 'a rate, of which cross-traffic takes its part', capacity);
  if (capacity === undefined) return;
  insist(cross < capacity, 'background cross-traffic', 'less than link.capacity in all', formatRate(cross));
}
