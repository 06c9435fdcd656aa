import { byIncreasingRate, byProbability, inOrder, insistOnAtMost } from './by-probability.ts';
import { writeRates } from './objective.ts';

/** Above, the table of choices (a byte for each of n²/2 states) would pass 50 MB. */
export const ENDS_PAGES_MAX = 10_000;

/**
 * Slots first to last, each takes the coldest or the hottest of the pages that are left: the best of those 2^n
 * orders, by dynamic programming in O(n²). This project's own rule. RangeError above `ENDS_PAGES_MAX` pages.
 *
 * The pages left are always consecutive by π, items c … c + e − 1 of the sorted ones in the last e slots, so
 *
 *   cost(c, e) = min( d(c, e) + cost(c + 1, e − 1),  d(c + e − 1, e) + cost(c, e − 1) ),   d = 1 − (1 − π)^e
 */
export function endsOrder(probabilities: Float64Array): Uint32Array {
  const pages = probabilities.length;
  insistOnAtMost(ENDS_PAGES_MAX, probabilities, 'ends');
  const increasing = byIncreasingRate(writeRates(probabilities));
  const sorted = inOrder(probabilities, increasing);
  const takesHottest = choices(sorted);
  const order = new Uint32Array(pages);
  for (let exposure = pages, coldest = 0; exposure > 0; exposure--) {
    const hottest = takesHottest[row(exposure, pages) + coldest] === 1;
    order[pages - exposure] = increasing[hottest ? coldest + exposure - 1 : coldest++]!;
  }
  return order;
}

export const ends = byProbability(endsOrder);

/** Where the choices at this exposure start: a row for each, of as many states as the coldest page left can be. */
function row(exposure: number, pages: number): number {
  return ((exposure - 1) * (2 * pages - exposure + 2)) / 2;
}

/** 1 where the hottest page left goes next, by exposure and coldest page left; filled from the last slot back. */
function choices(sorted: Float64Array): Uint8Array {
  const pages = sorted.length;
  const takesHottest = new Uint8Array(row(pages + 1, pages));
  const cost = new Float64Array(pages + 1);
  const dirty = new Float64Array(pages);
  for (let exposure = 1; exposure <= pages; exposure++) {
    const start = row(exposure, pages);
    for (let page = 0; page < pages; page++) dirty[page]! += (1 - dirty[page]!) * sorted[page]!;
    for (let coldest = 0; coldest + exposure <= pages; coldest++) {
      const sendColdest = dirty[coldest]! + cost[coldest + 1]!;
      const sendHottest = dirty[coldest + exposure - 1]! + cost[coldest]!;
      if (sendHottest < sendColdest) takesHottest[start + coldest] = 1;
      cost[coldest] = Math.min(sendColdest, sendHottest);
    }
  }
  return takesHottest;
}
