import fc from 'fast-check';
import { known } from '../../src/core/migration/heat.ts';
import type { OrderName } from '../../src/core/migration/order/orders.ts';
import { Random } from '../../src/core/random.ts';
import { expectedOrder } from '../../src/model/expected-order.ts';
import { type PageStratum, portionsOfPages } from '../../src/model/portions.ts';
import type { RatesGuest } from '../../src/model/rates-memory.ts';
import { orderOfStrata, type StrataContext } from '../../src/model/strata-order.ts';

/** T = 1 ms, w = 40 ms. */
export const SLOT_SECONDS = 1e-3;
export const context: StrataContext = { windowNs: 40e6, slotsPerWindow: 40 };

/** Orders that can be asked of strata, and know of a page its address or its heat. `random` has no page-exact answer. */
export const strataOrders = ['address', 'lru', 'frequency', 'increasing', 'decreasing', 'threshold'] as const;

/** A few classes of pages that differ in their rates, some of them held back; some of the pages hold zeros. */
export function someStrata(pagesMin: number, pagesMax: number) {
  const stratum = fc.record({
    pages: fc.integer({ min: pagesMin, max: pagesMax }),
    deferred: fc.oneof(fc.constant(false), fc.constant(false), fc.boolean()),
    exponent: fc.integer({ min: -300, max: 150 }),
  });
  return fc
    .record({
      strata: fc.uniqueArray(stratum, { minLength: 1, maxLength: 5, selector: ({ exponent }) => exponent }),
      zeroPages: fc.nat(pagesMax),
    })
    .map(({ strata, zeroPages }): PageStratum[] => [
      ...strata.map(({ exponent, ...rest }) => ({
        ...rest,
        writesPerSecond: 10 ** (exponent / 100),
        zero: false,
      })),
      { pages: zeroPages, writesPerSecond: 0, deferred: false, zero: true },
    ]);
}

export function inStrata(
  name: OrderName,
  strata: readonly PageStratum[],
  clear: 'page' | 'round',
): RatesGuest {
  return { kind: 'rates', ...orderOfStrata(name)!(strata, context), clear };
}

/** The same page by page: those of each stratum lie evenly over the memory, those of zeros at its end. */
export function pageByPage(
  name: OrderName,
  strata: readonly PageStratum[],
  clear: 'page' | 'round',
): RatesGuest {
  const placed = strata.flatMap((stratum, index) => {
    const start = ((index * Math.SQRT2) % 1) + (stratum.zero ? stratum.pages : 0);
    return Array.from({ length: stratum.pages }, (_, page) => ({
      at: (page + start) / stratum.pages,
      stratum,
    }));
  });
  const pages = placed.sort((one, other) => one.at - other.at).map(({ stratum }) => stratum);
  const writesPerSecond = Float64Array.from(pages, (page) => page.writesPerSecond);
  const heat = known({ writesPerSecond }, context.windowNs);
  const zeroPages = pages.filter(({ zero }) => zero).length;
  return {
    kind: 'rates',
    portions: portionsOfPages(writesPerSecond, zeroPages, (page) => pages[page]!.deferred),
    order: expectedOrder(name, pages.length, { ...context, heat, random: Random.seeded(1) }),
    clear,
  };
}
