import { byIncreasingRate, byProbability, inOrder, insistOnAtMost } from './by-probability.ts';
import { writeRates } from './objective.ts';

/** Above, the table of choices (a byte for each of n²/2 states) would pass 50 MB. */
export const VEE_PAGES_MAX = 10_000;

/**
 * Pages hottest to coldest, each into the first or the last slot that is free: the best of those 2^n orders, by
 * dynamic programming in O(n²). This project's own rule: it places the coldest page somewhere and lets π rise
 * towards both ends, of which `threshold` is the case of one change of side. RangeError above `VEE_PAGES_MAX`.
 *
 * With the k hottest placed, f of them in front, the free slots have exposures k − f + 1 … n − f, so
 *
 *   cost(k, f) = min( d(k, n − f) + cost(k + 1, f + 1),  d(k, k − f + 1) + cost(k + 1, f) ),   d = 1 − (1 − π)^e
 */
export function veeOrder(probabilities: Float64Array): Uint32Array {
  const pages = probabilities.length;
  insistOnAtMost(VEE_PAGES_MAX, probabilities, 'vee');
  const decreasing = byIncreasingRate(writeRates(probabilities)).reverse();
  const goesInFront = choices(inOrder(probabilities, decreasing));
  const order = new Uint32Array(pages);
  for (let placed = 0, front = 0; placed < pages; placed++) {
    const first = goesInFront[row(placed) + front] === 1;
    order[first ? front++ : pages - 1 - (placed - front)] = decreasing[placed]!;
  }
  return order;
}

export const vee = byProbability(veeOrder);

/** Where the choices for the page after `placed` others start: a row of placed + 1 possible numbers in front. */
function row(placed: number): number {
  return (placed * (placed + 1)) / 2;
}

/** 1 where the page goes in front, by pages placed and those of them in front; filled from the coldest page back. */
function choices(decreasing: Float64Array): Uint8Array {
  const pages = decreasing.length;
  const goesInFront = new Uint8Array(row(pages));
  const cost = new Float64Array(pages + 1);
  const dirty = new Float64Array(pages + 1);
  for (let placed = pages - 1; placed >= 0; placed--) {
    const probability = decreasing[placed]!;
    for (let e = 1; e <= pages; e++) dirty[e] = dirty[e - 1]! + (1 - dirty[e - 1]!) * probability;
    const start = row(placed);
    for (let front = 0; front <= placed; front++) {
      const inFront = dirty[pages - front]! + cost[front + 1]!;
      const atTheEnd = dirty[placed - front + 1]! + cost[front]!;
      if (inFront < atTheEnd) goesInFront[start + front] = 1;
      cost[front] = Math.min(inFront, atTheEnd);
    }
  }
  return goesInFront;
}
