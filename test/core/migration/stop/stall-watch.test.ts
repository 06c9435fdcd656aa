import { expect, test } from 'vitest';
import { stallWatch } from '../../../../src/core/migration/stop/stall-watch.ts';
import { SECOND } from './progress.ts';

/** One round every 10 s: with these amounts pending, after which rounds (counted from 0) would it stop? */
function minima(pending: readonly number[]): number[] {
  const watch = stallWatch({ margin: 0.04, patienceNs: 40 * SECOND, decay: 0.5 });
  return pending.flatMap((bytes, index) => (watch(index * 10 * SECOND, bytes) ? [index] : []));
}

test('no stall within the first 40 s, even if the rounds grow', () => {
  expect(minima([100, 200, 300, 400])).toEqual([]);
});

test('no stall while every round is more than 4 % below the best of 40 s ago', () => {
  expect(minima([1000, 999, 998, 997, 959, 958, 957, 956, 920])).toEqual([]);
});

test('a round that is only 4 % below the best of 40 s ago has stalled, and is the best there is', () => {
  expect(minima([1000, 999, 998, 997, 960])).toEqual([4]);
});

test('a spike is forgiven while the trend is downward', () => {
  expect(minima([1000, 900, 800, 700, 950, 600])).toEqual([]);
});

test('a round that stalls at the top of the swing waits for one within 4 % of the bottom', () => {
  expect(minima([1000, 700, 500, 900, 1000, 521, 520])).toEqual([6]);
});

test('a best that does not recur for 40 s gives way to the best since the stall', () => {
  expect(minima([1000, 100, 900, 900, 1000, 800, 850, 900, 870, 833])).toEqual([]);
  expect(minima([1000, 100, 900, 900, 1000, 800, 850, 900, 870, 832])).toEqual([9]);
});

test('after that it waits only 20 s, and for the next best, since a level serves once', () => {
  const stalledAt100 = [1000, 100, 900, 900, 1000];
  const relaxedTo300 = [300, 900, 900, 900];
  expect(minima([...stalledAt100, ...relaxedTo300, 400])).toEqual([]);
  expect(minima([...stalledAt100, ...relaxedTo300, 900, 400])).toEqual([10]);
});
