import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meanUntouched } from '../../src/model/mean-field.ts';
import { type PageStratum, portionsOf } from '../../src/model/portions.ts';
import { RatesMemory } from '../../src/model/rates-memory.ts';
import { context, inStrata, pageByPage, SLOT_SECONDS, someStrata, strataOrders } from './strata.ts';

/** The memory of a guest, in strata or page by page; a page is a slot, and one of zeros a fifth of it. */
function memoryOf(
  guest: ConstructorParameters<typeof RatesMemory>[0],
  strata: readonly PageStratum[],
): RatesMemory {
  const pagesOf = (these: readonly PageStratum[]) => these.reduce((sum, { pages }) => sum + pages, 0);
  return new RatesMemory(guest, {
    pages: pagesOf(strata),
    zeroPages: pagesOf(strata.filter(({ zero }) => zero)),
    pageSizeBytes: 3200,
    overheadBytes: 800,
    rateBytesPerSecond: 4000 / SLOT_SECONDS,
  });
}

describe('strata are followed like single pages', () => {
  test('to the last digit in an order by heat, if none has more than 64 pages', () => {
    const orders = fc.constantFrom(
      ...strataOrders.filter((name) => name !== 'address' && name !== 'threshold'),
    );
    fc.assert(
      fc.property(someStrata(1, 64), orders, fc.constantFrom('page', 'round'), (strata, order, clear) => {
        const portions = memoryOf(inStrata(order, strata, clear), strata);
        const pages = memoryOf(pageByPage(order, strata, clear), strata);
        for (let round = 0; round < 4; round++) {
          const [one, other] = [portions.predict(), pages.predict()];
          for (const figure of ['dirtyPages', 'sentPages', 'deferredPages', 'bytes'] as const)
            expect(one[figure]).toBeCloseTo(other[figure], 6);
          expect(portions.dirtyPages().deviation).toBeCloseTo(pages.dirtyPages().deviation, 6);
          portions.send();
          pages.send();
        }
      }),
      { numRuns: 40 },
    );
  });

  test.each(strataOrders)('in the order %s: what is left within 0.2 %, its deviation within 2 %', (order) => {
    fc.assert(
      fc.property(someStrata(150, 600), fc.constantFrom('page', 'round'), (strata, clear) => {
        const portions = memoryOf(inStrata(order, strata, clear), strata);
        const pages = memoryOf(pageByPage(order, strata, clear), strata);
        for (let round = 0; round < 4; round++) {
          portions.send();
          pages.send();
          const [one, other] = [portions.dirtyPages(), pages.dirtyPages()];
          expect(Math.abs(one.mean - other.mean)).toBeLessThan(0.002 * other.mean + 0.2);
          expect(Math.abs(one.deviation - other.deviation)).toBeLessThan(0.02 * other.deviation + 0.05);
        }
      }),
      { numRuns: 12 },
    );
  });

  test('within a round within 1 % of its pages, which is less than a stretch', () => {
    fc.assert(
      fc.property(
        someStrata(100, 400),
        fc.constantFrom(...strataOrders),
        fc.constantFrom('page', 'round'),
        fc.integer({ min: 1, max: 200 }),
        (strata, order, clear, steps) => {
          const portions = memoryOf(inStrata(order, strata, clear), strata);
          const pages = memoryOf(pageByPage(order, strata, clear), strata);
          for (let round = 0; round < 2; round++) {
            const [one, other] = [portions.pendingWithin(steps), pages.pendingWithin(steps)];
            const off = one.map((pending, step) => Math.abs(pending - other[step]!));
            expect(Math.max(...off)).toBeLessThan(0.01 * one[0]! + 1);
            portions.send();
            pages.send();
            expect(portions.predict().dirtyPages).toBeCloseTo(one.at(-1)!, 5);
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

test('the mean over pages that are sent one after the other is that of a term for each', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 500, noNaN: true }),
      fc.oneof(fc.constant(0), fc.double({ min: 1e-12, max: 3, noNaN: true })),
      (pages, slotsOfOne, later, rate) => {
        const slots = pages * slotsOfOne;
        let sum = 0;
        for (let page = 0; page < pages; page++) sum += Math.exp(-rate * (later + slots - page * slotsOfOne));
        expect(meanUntouched(rate, later + slots, pages, slots)).toBeCloseTo(sum / pages, 10);
      },
    ),
  );
});

describe('portions', () => {
  test('are all pages of all strata, in stretches of a page or more', () => {
    fc.assert(
      fc.property(fc.array(someStrata(1, 1000), { minLength: 1, maxLength: 4 }), (groups) => {
        const { pages, writesPerSecond, deferred, zero, starts } = portionsOf(groups);
        for (const stratum of groups.flat()) {
          const ofStratum = (_: number, portion: number) =>
            writesPerSecond[portion] === stratum.writesPerSecond &&
            deferred[portion] === Number(stratum.deferred) &&
            zero[portion] === Number(stratum.zero);
          const alike = groups
            .flat()
            .filter(
              (other) =>
                other.writesPerSecond === stratum.writesPerSecond &&
                other.deferred === stratum.deferred &&
                other.zero === stratum.zero,
            );
          expect(pages.filter(ofStratum).reduce((sum, count) => sum + count, 0)).toBeCloseTo(
            alike.reduce((sum, other) => sum + other.pages, 0),
            6,
          );
        }
        for (let stretch = 0; stretch + 1 < starts.length; stretch++) {
          const inStretch = pages.subarray(starts[stretch]!, starts[stretch + 1]!);
          // The last of a group may have less than a page.
          expect(inStretch.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0.5);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('are as many for a guest of 1 TiB as for one of 1 GiB', () => {
    const ofGuest = (pages: number) => {
      const strata = [0.01, 0.1, 0.89].map((share, index) => ({
        ...{ pages: share * pages, writesPerSecond: 10 ** -index, deferred: index === 0, zero: false },
      }));
      return strataOrders.map((name) => inStrata(name, strata, 'page').portions.pages.length);
    };
    expect(ofGuest(2 ** 28)).toEqual(ofGuest(2 ** 18));
    expect(Math.max(...ofGuest(2 ** 28))).toBeLessThan(1000);
    expect(context.slotsPerWindow).toBe(context.windowNs / 1e9 / SLOT_SECONDS);
  });
});
