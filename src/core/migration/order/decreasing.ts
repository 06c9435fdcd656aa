import { byIncreasingRate, byProbability } from './by-probability.ts';
import { writeRates } from './objective.ts';
import { proved } from './order.ts';

/**
 * Decreasing write probability, hottest first: optimal when every π ≥ 1/2 (the order theorem of Checconi,
 * Cucinotta and Stein: x(1−x)^k falls with x from 1/(k+1) on), because a page that hot is lost in every slot
 * but the last few, and the coldest make the most of those.
 */
export function decreasingOrder(probabilities: Float64Array): Uint32Array {
  return byIncreasingRate(writeRates(probabilities)).reverse();
}

export const decreasing = proved(byProbability(decreasingOrder));
