// A page order of one's own. Loaded by compare-orders.js, and on the command line:
//
//   npx switchover run 03-page-orders --use ./hottest-twentieth.js --set 'compare={migration.order: [threshold, hottest-twentieth]}'
import { byProbability, registerOrder } from 'switchover';

/** What no live round can save goes first, where nothing is lost by it; a twentieth is a guess, threshold works it out. */
function hottestTwentiethFirst(probabilities) {
  const increasing = Uint32Array.from(probabilities.keys());
  increasing.sort((one, other) => probabilities[one] - probabilities[other]);
  const cold = Math.floor(0.95 * increasing.length);
  const order = new Uint32Array(increasing.length);
  order.set(increasing.subarray(cold).reverse());
  order.set(increasing.subarray(0, cold), increasing.length - cold);
  return order;
}

export const hottestTwentieth = registerOrder({
  name: 'hottest-twentieth',
  describe: 'the hottest twentieth of the dirty pages first, the others by increasing write probability',
  heat: 'probability',
  // Which pages are the hottest twentieth depends on what else is dirty.
  dependsOnOthers: true,
  order: byProbability(hottestTwentiethFirst),
});
