import { expectedSlots, type MeanFieldRound } from './mean-field.ts';

/** A page's share below this no longer counts. */
const NEGLIGIBLE = 1e-12;

/**
 * The pages expected to be pending at `steps` + 1 instants, evenly spaced from the start of a round to its end: those
 * that are dirty and not sent yet, and those written since they were sent, or since the start.
 *
 *   pending(x) = N − Σ_{pos < x} d·(1 − π)^(x − pos) − Σ (1 − d)·(1 − π)^x
 *
 * One exponential a page and then a multiplication a step, each step being as long as the others.
 */
export function pendingWithin(dirty: Float64Array, round: MeanFieldRound, steps: number): Float64Array {
  const { writesPerSecond, slotSeconds, order, deferred, clear, zeroFrom, zeroSlots } = round;
  const step = expectedSlots(dirty, round) / steps;
  const clean = new Float64Array(steps + 1);
  const stayClean = (share: number, from: number, rate: number): void => {
    const perStep = Math.exp(-rate * step);
    for (let at = from, left = share; at <= steps && left > NEGLIGIBLE; at++, left *= perStep)
      clean[at]! += left;
  };
  let position = 0;
  for (let place = 0; place < order.length; place++) {
    const page = order[place]!;
    const d = dirty[page]!;
    const rate = writesPerSecond[page]! * slotSeconds;
    stayClean(1 - d, 0, rate);
    if (deferred?.has(page)) continue;
    const at = Math.min(steps, Math.floor(position / step) + 1);
    const exposed = clear === 'page' ? Math.max(0, at * step - position) : at * step;
    stayClean(d * Math.exp(-rate * exposed), at, rate);
    position += page < zeroFrom ? d : d * zeroSlots;
  }
  return clean.map((pages) => order.length - pages);
}
