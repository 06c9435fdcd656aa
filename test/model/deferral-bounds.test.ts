import { expect, test } from 'vitest';
import { PageSet } from '../../src/core/migration/pages.ts';
import { Random } from '../../src/core/random.ts';
import { allDirty, expectedSlots, meanFieldRound } from '../../src/model/mean-field.ts';
import { portionsOfPages } from '../../src/model/portions.ts';

const PAGE_BYTES = 4096;
const RATE = 4_096_000;
/** T = 1 ms, in nanoseconds. */
const SLOT_NS = 1e6;

/** What is held back for the stop: `pages` pages, each written in a slot with a probability of at least `threshold`. */
interface Deferral {
  readonly pages: number;
  /** π_thr, per slot T = (P + H)/b, not per sampling window. */
  readonly threshold: number;
  readonly pageBytes: number;
  readonly rateBytesPerSecond: number;
  readonly stopRateBytesPerSecond: number;
}

/**
 * What E[t_d] and E[t_tot] can become at most when F is held back, K = 1 (Checconi, Cucinotta and Stein, §4, the
 * bound on the total in its tight form):
 *
 *   E[t_d']   ≤ E[t_d] + |F|·(1 − π_thr)·(P + H)/b_d
 *   E[t_tot'] ≤ E[t_tot] − |F|·(P + H)/b + |F|·(1 − π_thr)·(P + H)/b_d
 *
 * A page of F is certainly dirty at the stop; sent, it would have been so with probability 1 − (1 − π)^e ≥ π_thr, so
 * it loses at most 1 − π_thr, and as the round is |F| slots shorter the others lose nothing. Equal when F is one
 * page, of exactly π_thr, that would have been sent last, and no other page is ever written.
 */
function withDeferral(expected: { downtimeNs: number; totalNs: number }, deferral: Deferral) {
  const { pages, threshold, pageBytes, rateBytesPerSecond, stopRateBytesPerSecond } = deferral;
  const heldBackNs = (pages * pageBytes * 1e9) / stopRateBytesPerSecond;
  const savedNs = (pages * pageBytes * 1e9) / rateBytesPerSecond;
  const lostNs = (1 - threshold) * heldBackNs;
  return { downtimeNs: expected.downtimeNs + lostNs, totalNs: expected.totalNs - savedNs + lostNs };
}

/** E[t_d] and E[t_tot] of one round in the order of the page numbers, exact, with the pages of F held back. */
function expectedTimes(probabilities: Float64Array, deferred: PageSet, stopRate: number) {
  const pages = probabilities.length;
  const rates = probabilities.map((p) => -Math.log1p(-p));
  const portions = portionsOfPages(rates, 0, (page) => deferred.has(page));
  const round = {
    portions,
    slotSeconds: 1,
    order: Uint32Array.from({ length: pages }, (_, page) => page),
    clear: 'page' as const,
    readAfterSlots: 0,
    zeroSlots: 0,
  };
  const before = allDirty(portions);
  const left = meanFieldRound(before, round).dirty.reduce((sum, d) => sum + d, 0);
  const downtimeNs = (left * PAGE_BYTES * 1e9) / stopRate;
  return { downtimeNs, totalNs: expectedSlots(before.dirty, round) * SLOT_NS + downtimeNs };
}

function compared(probabilities: Float64Array, threshold: number, stopRate: number) {
  const held = PageSet.of(
    probabilities.length,
    [...probabilities.keys()].filter((page) => probabilities[page]! >= threshold),
  );
  const without = expectedTimes(probabilities, new PageSet(probabilities.length), stopRate);
  const deferral: Deferral = {
    pages: held.count(),
    threshold,
    pageBytes: PAGE_BYTES,
    rateBytesPerSecond: RATE,
    stopRateBytesPerSecond: stopRate,
  };
  return {
    actual: expectedTimes(probabilities, held, stopRate),
    bound: withDeferral(without, deferral),
    held,
  };
}

test('both bounds hold in 3000 random cases, at b_d = b and above, and are close in some', () => {
  const random = Random.seeded(6);
  let closest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3000; run++) {
    const pages = 1 + random.below(40);
    const spread = 1 + 6 * random.uniform();
    const probabilities = Float64Array.from({ length: pages }, () => random.uniform() ** spread);
    const { actual, bound, held } = compared(probabilities, random.uniform(), RATE * (1 + random.below(4)));
    expect(actual.downtimeNs).toBeLessThanOrEqual(bound.downtimeNs + 1e-3);
    expect(actual.totalNs).toBeLessThanOrEqual(bound.totalNs + 1e-3);
    if (held.count() > 0) closest = Math.min(closest, (bound.downtimeNs - actual.downtimeNs) / SLOT_NS);
  }
  expect(closest).toBeLessThan(0.1);
});

test('both are tight for one page of exactly the threshold, sent last among pages that are never written', () => {
  const { actual, bound, held } = compared(Float64Array.of(0, 0, 0, 0.3), 0.3, 2 * RATE);
  expect(held.count()).toBe(1);
  expect(actual.downtimeNs).toBeCloseTo(bound.downtimeNs, 6);
  expect(actual.totalNs).toBeCloseTo(bound.totalNs, 6);
});

test('both are tight for any number of pages that are never written', () => {
  const { actual, bound, held } = compared(new Float64Array(5), 0, RATE);
  expect(held.count()).toBe(5);
  expect(actual.downtimeNs).toBeCloseTo(bound.downtimeNs, 6);
  expect(actual.totalNs).toBeCloseTo(bound.totalNs, 6);
});

test('with b_d = b the bound on the total still promises |F|·π_thr slots', () => {
  const expected = { downtimeNs: 100 * SLOT_NS, totalNs: 500 * SLOT_NS };
  const rates = { rateBytesPerSecond: RATE, stopRateBytesPerSecond: RATE };
  const bound = withDeferral(expected, { pages: 40, threshold: 0.25, pageBytes: PAGE_BYTES, ...rates });
  expect(bound).toEqual({ downtimeNs: 130 * SLOT_NS, totalNs: 490 * SLOT_NS });
});
