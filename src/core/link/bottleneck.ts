import { type Antagonist, isOfLink } from '../antagonist.ts';
import type { Random } from '../random.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';

/** A place on the way that passes bytes one after the other, at a rate that falls again and again. */
export interface Bottleneck {
  readonly bytesPerSecond: BytesPerSecond;
  readonly drops: readonly Drop[];
}

/** From `phaseNs` on, once in every period, for a length of time: no more than this rate. */
type Drop = Omit<Extract<Antagonist, { kind: 'link-drop' }>, 'kind'> & { readonly phaseNs: Nanos };

/**
 * What antagonists leave of a link. Where in their periods the drops begin is random, so that repetitions meet them at
 * different points. `undefined`: nothing is in the way.
 */
export function bottleneckOf(
  antagonists: readonly Antagonist[],
  capacityBytesPerSecond: BytesPerSecond,
  random: Random,
): Bottleneck | undefined {
  const ofLink = antagonists.filter(isOfLink);
  if (ofLink.length === 0) return undefined;
  let crossBytesPerSecond = 0;
  let mostBytesPerSecond = Number.POSITIVE_INFINITY;
  const drops: Drop[] = [];
  for (const each of ofLink) {
    if (each.kind === 'cross-traffic') crossBytesPerSecond += each.bytesPerSecond;
    else if (each.kind === 'slow-destination')
      mostBytesPerSecond = Math.min(mostBytesPerSecond, each.bytesPerSecond);
    else drops.push({ ...each, phaseNs: Math.round(random.uniform() * each.everyNs) });
  }
  return {
    bytesPerSecond: Math.min(mostBytesPerSecond, capacityBytesPerSecond - crossBytesPerSecond),
    drops,
  };
}

/** The instant at which `bytes` have passed that begin to at `fromNs`. */
export function passedNs({ bytesPerSecond, drops }: Bottleneck, fromNs: Nanos, bytes: Bytes): Nanos {
  let now = fromNs;
  let left = bytes;
  for (;;) {
    let rate = bytesPerSecond;
    let changesNs = Number.POSITIVE_INFINITY;
    for (const { everyNs, lengthNs, phaseNs, bytesPerSecond: dropped } of drops) {
      const cycle = Math.floor((now - phaseNs) / everyNs);
      const beginsNs = phaseNs + cycle * everyNs;
      const isDown = now < beginsNs + lengthNs;
      if (isDown) rate = Math.min(rate, dropped);
      changesNs = Math.min(changesNs, beginsNs + (isDown ? lengthNs : everyNs));
    }
    const doneNs = rate > 0 ? now + (left * NANOS_PER_SECOND) / rate : Number.POSITIVE_INFINITY;
    if (doneNs <= changesNs) return Math.ceil(doneNs);
    left -= rate === Number.POSITIVE_INFINITY ? left : (rate * (changesNs - now)) / NANOS_PER_SECOND;
    now = changesNs;
  }
}
