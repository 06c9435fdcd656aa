import { expectedSlots, type MeanFieldRound, meanUntouched } from './mean-field.ts';

/** A share of a page below this no longer counts. */
const NEGLIGIBLE = 1e-12;

/**
 * The pages expected to be pending at `steps` + 1 instants, evenly spaced from the start of a round to its end: those
 * that are dirty and not sent yet, and those written since they were sent, or since the start.
 *
 *   pending(x) = N − Σ_{pos < x} d·(1 − π)^(x − pos) − Σ (1 − d)·(1 − π)^x
 *
 * A portion's pages that have been sent are a geometric series while its stretch is sent; after that there is a
 * multiplication a step, each step being as long as the others.
 */
export function pendingWithin(dirty: Float64Array, round: MeanFieldRound, steps: number): Float64Array {
  const { portions, slotSeconds, order, clear, readAfterSlots } = round;
  const { pages, writesPerSecond, deferred, starts, sharers } = portions;
  const step = expectedSlots(dirty, round) / steps;
  const clean = new Float64Array(steps + 1);
  const cleanForGood = new Float64Array(steps + 1);
  const stayClean = (share: number, from: number, perStep: number): void => {
    if (perStep === 1) cleanForGood[from]! += share;
    else
      for (let at = from, left = share; at <= steps && left > NEGLIGIBLE; at++, left *= perStep)
        clean[at]! += left;
  };
  let position = 0;
  let all = 0;
  for (const stretch of order) {
    const mixed = sharers[stretch]!;
    const taken = expectedSlots(dirty, round, starts[stretch]!, starts[stretch + 1]!);
    for (let portion = starts[stretch]!; portion < starts[stretch + 1]!; portion++) {
      const d = dirty[portion]!;
      const rate = writesPerSecond[portion]! * slotSeconds;
      const perStep = Math.exp(-rate * step);
      all += pages[portion]!;
      stayClean(pages[portion]! * (1 - d), 0, perStep);
      if (deferred[portion] === 1) continue;
      // What takes no time goes with what was sent just before it, at the end of the round too.
      for (let at = Math.min(steps, Math.floor(position / step) + 1); at <= steps; at++) {
        const since = Math.max(0, at * step - position);
        // How many of those that share the slots have been sent by then.
        const sent = taken > 0 ? Math.min(mixed, Math.max(1, Math.ceil((since * mixed) / taken))) : mixed;
        const untouched =
          clear === 'page'
            ? meanUntouched(rate, Math.max(0, since - readAfterSlots), sent, (taken * sent) / mixed)
            : perStep ** at;
        const share = (pages[portion]! * d * untouched * sent) / mixed;
        if (sent === mixed) {
          stayClean(share, at, perStep);
          break;
        }
        clean[at]! += share;
      }
    }
    position += taken;
  }
  let forGood = 0;
  return clean.map((pages, at) => all - pages - (forGood += cleanForGood[at]!));
}
