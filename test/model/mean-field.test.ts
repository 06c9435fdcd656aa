import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedDirty } from '../../src/core/migration/order/objective.ts';
import { PageSet } from '../../src/core/migration/pages.ts';
import { Random } from '../../src/core/random.ts';
import { allDirty, type MeanFieldRound, meanFieldRound } from '../../src/model/mean-field.ts';
import { pendingWithin } from '../../src/model/pending-within.ts';
import { PoissonBinomial } from '../../src/model/poisson-binomial.ts';
import { portionsOfPages } from '../../src/model/portions.ts';
import { deviationOf, leftovers, meanOf } from './monte-carlo.ts';

const SLOT_SECONDS = 0.001;

function shuffled(pages: number, seed: number): Uint32Array {
  return Random.seeded(seed).shuffle(Uint32Array.from({ length: pages }, (_, page) => page));
}

interface Given extends Partial<MeanFieldRound> {
  readonly deferred?: PageSet;
  readonly zeroPages?: number;
}

/** A guest whose every page is followed for itself. */
function round(writesPerSecond: Float64Array, given: Given = {}): MeanFieldRound {
  const { deferred, zeroPages = 0, ...other } = given;
  return {
    portions: portionsOfPages(writesPerSecond, zeroPages, (page) => deferred?.has(page) ?? false),
    slotSeconds: SLOT_SECONDS,
    order: shuffled(writesPerSecond.length, 1),
    clear: 'page',
    readAfterSlots: 0,
    zeroSlots: 0,
    ...other,
  };
}

function afterRounds(rounds: number, of: MeanFieldRound) {
  let state = allDirty(of.portions);
  for (let k = 0; k < rounds; k++) state = meanFieldRound(state, of);
  const { mean, variance } = new PoissonBinomial(state.dirty);
  return {
    ...state,
    mean,
    independent: Math.sqrt(variance),
    all: Math.sqrt(variance + state.carriedVariance),
  };
}

/** 300 pages, hot to cold, scattered. */
const rates = Float64Array.from(shuffled(300, 2), (rank) => 160 * 0.97 ** rank);
const increasing = Uint32Array.from({ length: 300 }, (_, page) => page).sort((a, b) => rates[a]! - rates[b]!);
const hottest = PageSet.of(300, increasing.slice(-30));

const ratesOfAnyKind = fc
  .array(fc.oneof(fc.double({ min: 0, max: 3000, noNaN: true }), fc.constantFrom(0, 1e-6, 1e6)), {
    minLength: 1,
    maxLength: 40,
  })
  .map((values) => Float64Array.from(values));

describe('one round', () => {
  test('is exact: Σ 1 − (1 − π)^(n + 1 − j)', () => {
    fc.assert(
      fc.property(ratesOfAnyKind, fc.nat(), (writesPerSecond, seed) => {
        const order = shuffled(writesPerSecond.length, seed);
        const probabilities = writesPerSecond.map((rate) => -Math.expm1(-rate * SLOT_SECONDS));
        const { mean, carriedVariance } = afterRounds(1, round(writesPerSecond, { order }));
        expect(mean).toBeCloseTo(expectedDirty(probabilities, order), 9);
        expect(carriedVariance).toBe(0);
      }),
    );
  });

  test('leaves the same whatever the order when all dirty bits are cleared at its start', () => {
    const left = [shuffled(300, 3), increasing].map((order) => {
      const { dirty } = afterRounds(1, round(rates, { order, clear: 'round' }));
      return dirty;
    });
    expect(left[0]).toEqual(left[1]);
    rates.forEach((rate, page) => {
      expect(left[0]![page]).toBeCloseTo(1 - Math.exp(-rate * 300 * SLOT_SECONDS), 12);
    });
  });

  test('keeps held-back pages dirty, and gives them no slot', () => {
    const { dirty } = afterRounds(1, round(rates, { order: increasing, deferred: hottest }));
    increasing.forEach((page, place) => {
      const slots = 270 - place;
      const expected = hottest.has(page) ? 1 : 1 - Math.exp(-rates[page]! * slots * SLOT_SECONDS);
      expect(dirty[page]).toBeCloseTo(expected, 12);
    });
  });

  test('passes over pages of zeros at the cost of a header', () => {
    const order = Uint32Array.of(3, 0, 2, 1);
    const writesPerSecond = new Float64Array(4).fill(1000);
    const { dirty } = afterRounds(1, round(writesPerSecond, { order, zeroPages: 2, zeroSlots: 0.1 }));
    // Slots: 0.1 for page 3, 1 for page 0, 0.1 for page 2, 1 for page 1.
    [2.1, 1, 1.1, 2.2].forEach((slots, page) => {
      expect(dirty[page]).toBeCloseTo(1 - Math.exp(-slots), 12);
    });
  });

  test('insists on an order of all pages', () => {
    const tooShort = round(rates, { order: new Uint32Array(299) });
    expect(() => meanFieldRound(allDirty(tooShort.portions), tooShort)).toThrow(RangeError);
  });
});

describe('several rounds', () => {
  const cases: Record<string, Given> = {
    'in any order': {},
    'coldest first': { order: increasing },
    'with the hottest held back': { order: increasing, deferred: hottest },
    'with all bits cleared at the start': { clear: 'round' },
    'of which each page is read at the end of its slot': { readAfterSlots: 1 },
  };

  test.each(Object.keys(cases))('%s leave what a simulation leaves, within one per cent', (name) => {
    const of = round(rates, cases[name]);
    const simulated = { ...of, writesPerSecond: rates, deferred: cases[name]?.deferred ?? new PageSet(300) };
    for (const rounds of [2, 3, 5]) {
      const left = leftovers({ ...simulated, rounds }, 3000, Random.seeded(9));
      const predicted = afterRounds(rounds, of);
      expect(Math.abs(predicted.mean / meanOf(left) - 1), `${rounds} rounds`).toBeLessThan(0.01);
      expect(Math.abs(predicted.all / deviationOf(left) - 1), `${rounds} rounds`).toBeLessThan(0.06);
    }
  });

  test('vary more than independent pages do, because a long round makes the next one long', () => {
    const classes = [1.64, 6.55, 0.003, 0.003];
    const writesPerSecond = Float64Array.from({ length: 400 }, (_, page) => classes[page % 4]!);
    const of = round(writesPerSecond);
    const { independent, all } = afterRounds(5, of);
    const left = leftovers(
      { ...of, writesPerSecond, deferred: new PageSet(400), rounds: 5 },
      3000,
      Random.seeded(9),
    );
    expect(deviationOf(left) / independent).toBeGreaterThan(1.25);
    expect(Math.abs(deviationOf(left) / all - 1)).toBeLessThan(0.06);
  });
});

describe('within a round', () => {
  test('what is pending is what was not sent yet and what was written since', () => {
    const before = afterRounds(1, round(rates)).dirty;
    const cases: Given[] = [{}, { order: increasing, deferred: hottest }, { clear: 'round' }];
    for (const { deferred, ...given } of cases) {
      const of = round(rates, deferred ? { ...given, deferred } : given);
      const toSend = before.map((d, page) => (deferred?.has(page) ? 0 : d));
      const slots = toSend.reduce((sum, d) => sum + d, 0);
      const pending = pendingWithin(before, of, 50);
      for (let step = 0; step <= 50; step++) {
        const elapsed = (slots * step) / 50;
        let position = 0;
        let expected = 0;
        for (const page of of.order) {
          const d = before[page]!;
          const written = (time: number) => 1 - Math.exp(-rates[page]! * SLOT_SECONDS * time);
          const sent = !deferred?.has(page) && position < elapsed;
          const exposed = of.clear === 'round' ? elapsed : elapsed - position;
          expected += (1 - d) * written(elapsed) + d * (sent ? written(exposed) : 1);
          position += toSend[page]!;
        }
        expect(pending[step], `step ${step}`).toBeCloseTo(expected, 6);
      }
    }
  });

  test('pages of zeros that take no time are gone at the end, however many steps there are', () => {
    const of = round(rates, { zeroPages: 100, order: Uint32Array.from(rates.keys()) });
    const before = allDirty(of.portions);
    const after = meanFieldRound(before, of).dirty.reduce((sum, d) => sum + d, 0);
    for (let steps = 1; steps < 50; steps++)
      expect(pendingWithin(before.dirty, of, steps).at(-1)).toBeCloseTo(after, 8);
  });

  test('it ends with what the round leaves', () => {
    const of = round(rates, { order: increasing });
    const before = allDirty(of.portions);
    const after = meanFieldRound(before, of).dirty.reduce((sum, d) => sum + d, 0);
    expect(pendingWithin(before.dirty, of, 7).at(-1)).toBeCloseTo(after, 8);
  });
});
