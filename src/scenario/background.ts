import { z } from 'zod';
import type { Antagonist } from '../core/antagonist.ts';
import { type BytesPerSecond, expected, formatRate } from '../core/units.ts';
import type { Bursts } from '../workload/program-clock.ts';
import { duration, durationAboveZero, quantity, rate, rateOrZero, whole } from './quantity.ts';

/** What works against the migration, each kind with its intensity. A count of 0 is nobody. */
const count = whole(0, 1000).default(1).describe('How many of them; 0 is none.');
const every = durationAboveZero.describe('Period, a time: once in every period it happens.');
const length = duration.describe('How long it lasts each time, less than `every`; 0 is never.');

export const cpuHogSchema = z
  .strictObject({ kind: z.literal('cpu-hog'), count })
  .meta({ title: 'cpu-hog', description: 'Programs that always want a processor.' });

const memoryHog = z
  .strictObject({
    kind: z.literal('memory-hog'),
    count,
    size: quantity('size', `${expected.size}, at least 1MiB`, (bytes) => bytes >= 2 ** 20)
      .prefault('64MiB')
      .describe('Memory that each writes through again and again, at least 1MiB.'),
  })
  .meta({ title: 'memory-hog', description: 'Threads that take memory bandwidth. Not in virtual time.' });

const garbage = z
  .strictObject({
    kind: z.literal('garbage'),
    count,
    rate: rate.describe('Garbage that each makes, in bytes or bits a second.'),
  })
  .meta({
    title: 'garbage',
    description: 'Threads that keep the garbage collector busy. Not in virtual time.',
  });

const crossTraffic = z
  .strictObject({
    kind: z.literal('cross-traffic'),
    rate: rateOrZero.describe('What others send over the link; it is taken from `link.capacity`.'),
  })
  .meta({ title: 'cross-traffic', description: 'Others send over the same link.' });

const linkDrop = z
  .strictObject({
    kind: z.literal('link-drop'),
    every,
    length,
    rate: rateOrZero.prefault(0).describe('What the link still carries meanwhile; 0 is an outage.'),
  })
  .meta({ title: 'link-drop', description: 'The link slows down or fails again and again.' });

const slowDestination = z
  .strictObject({
    kind: z.literal('slow-destination'),
    rate: rate.describe('The most that the destination takes.'),
  })
  .meta({ title: 'slow-destination', description: 'The destination takes no more than so much.' });

const guestBurst = z
  .strictObject({
    kind: z.literal('guest-burst'),
    every,
    length,
    factor: z
      .number('a number')
      .positive('a number above 0')
      .max(1000, 'a number, at most 1000')
      .describe("How many times as fast the guest's program runs meanwhile; 1 is no burst."),
  })
  .meta({ title: 'guest-burst', description: "The guest's own program runs faster now and then." });

const timerNoise = z
  .strictObject({
    kind: z.literal('timer-noise'),
    mean: duration.describe('Mean delay, a time, exponentially distributed; 0 is none.'),
  })
  .meta({ title: 'timer-noise', description: 'Whenever the sender is woken, it wakes later.' });

export const backgroundSchema = z
  .array(
    z
      .discriminatedUnion(
        'kind',
        [cpuHogSchema, memoryHog, garbage, crossTraffic, linkDrop, slowDestination, guestBurst, timerNoise],
        'an antagonist: { kind: cpu-hog | memory-hog | garbage | cross-traffic | link-drop | slow-destination | guest-burst | timer-noise, … }',
      )
      .meta({ id: 'Antagonist', title: 'Antagonist' }),
    'a list of antagonists',
  )
  .prefault([])
  .describe('What works against the migration, each kind with its intensity.');

export type BackgroundDocument = z.infer<typeof backgroundSchema>;

/** All but the hogs, which compete under the scheduler and belong to the CPU plan; those of no intensity left out. */
export function resolveAntagonists(background: BackgroundDocument): readonly Antagonist[] {
  return background.flatMap((document) => antagonistOf(document) ?? []);
}

function antagonistOf(document: BackgroundDocument[number]): Antagonist | undefined {
  switch (document.kind) {
    case 'cpu-hog':
      return undefined;
    case 'memory-hog': {
      const { kind, count, size: bytes } = document;
      return count === 0 ? undefined : { kind, count, bytes };
    }
    case 'garbage': {
      const { kind, count, rate: bytesPerSecond } = document;
      return count === 0 ? undefined : { kind, count, bytesPerSecond };
    }
    case 'cross-traffic': {
      const { kind, rate: bytesPerSecond } = document;
      return bytesPerSecond === 0 ? undefined : { kind, bytesPerSecond };
    }
    case 'slow-destination':
      return { kind: document.kind, bytesPerSecond: document.rate };
    case 'link-drop': {
      const { kind, every: everyNs, length: lengthNs, rate: bytesPerSecond } = document;
      return lengthNs === 0 ? undefined : { kind, everyNs, lengthNs, bytesPerSecond };
    }
    case 'guest-burst': {
      const { kind, every: everyNs, length: lengthNs, factor } = document;
      return lengthNs === 0 || factor === 1 ? undefined : { kind, everyNs, lengthNs, factor };
    }
    case 'timer-noise': {
      const { kind, mean: meanNs } = document;
      return meanNs === 0 ? undefined : { kind, meanNs };
    }
  }
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
  insist: (holds: boolean, path: string, expected: string, found: unknown) => void,
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
