import { z } from 'zod';
import type { Antagonist } from '../core/antagonist.ts';
import {
  type BytesPerSecond,
  expected,
  formatRate,
  parseDuration,
  parseRate,
  parseSize,
} from '../core/units.ts';
import type { Bursts } from '../workload/program-clock.ts';
import { quantity, whole } from './quantity.ts';

/** What works against the migration, each kind with its intensity. A count of 0 is nobody. */
const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
const time = quantity(parseDuration, expected.duration);
const rate = quantity(parseRate, expected.rate);
/** `0` too, which no link would be reserved with. */
const rateOrNone = quantity((text) => (text === '0' ? 0 : parseRate(text)), `${expected.rate}, or 0`);
const size = quantity(parseSize, `${expected.size}, at least 1MiB`, (bytes) => bytes >= 2 ** 20);
const count = whole(0, 1000).default(1);

export const backgroundSchema = z
  .array(
    z.discriminatedUnion(
      'kind',
      [
        z.strictObject({ kind: z.literal('cpu-hog'), count }),
        z.strictObject({ kind: z.literal('memory-hog'), count, size: size.default(64 * 2 ** 20) }),
        z.strictObject({ kind: z.literal('garbage'), count, rate }),
        z.strictObject({ kind: z.literal('cross-traffic'), rate: rateOrNone }),
        z.strictObject({
          kind: z.literal('link-drop'),
          every: someTime,
          length: time,
          rate: rateOrNone.default(0),
        }),
        z.strictObject({ kind: z.literal('slow-destination'), rate }),
        z.strictObject({
          kind: z.literal('guest-burst'),
          every: someTime,
          length: time,
          factor: z.number('a number').positive('a number above 0').max(1000, 'a number, at most 1000'),
        }),
        z.strictObject({ kind: z.literal('timer-noise'), mean: time }),
      ],
      'an antagonist: { kind: cpu-hog | memory-hog | garbage | cross-traffic | link-drop | slow-destination | guest-burst | timer-noise, … }',
    ),
    'a list of antagonists',
  )
  .default([]);

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
