import { known } from '../core/migration/heat.ts';
import { perSlot } from '../core/migration/order/by-probability.ts';
import { writeRates } from '../core/migration/order/objective.ts';
import type { OrderName } from '../core/migration/order/orders.ts';
import type { Runs } from '../core/migration/order/runs.ts';
import { hottestFew } from '../core/migration/order/threshold.ts';
import type { Nanos } from '../core/units.ts';
import type { ExpectedOrder } from './expected-order.ts';
import { type PageStratum, type Portions, portionsOf } from './portions.ts';

/** What an order may know besides the rates at which pages are written. */
export interface StrataContext {
  /** w: the probability of a write within it is the heat by which they compare pages. */
  readonly windowNs: Nanos;
  /** w in slots T. */
  readonly slotsPerWindow: number;
}

/** A guest's pages in portions, and the order of their stretches. */
export interface OrderedPortions {
  readonly portions: Portions;
  readonly order: ExpectedOrder;
}

type StrataRule = (strata: readonly PageStratum[], context: StrataContext) => OrderedPortions;

const coldestFirst: StrataRule = (strata, context) =>
  alwaysSo(alike(strata, heatsOf(ratesOf(strata), context)));

/**
 * What the orders that know nothing of a page but its address or its heat make of strata; ties are broken once. An order
 * that is not here is asked page by page (`expectedOrder`).
 */
const rules: Partial<Record<OrderName, StrataRule>> = {
  address: (strata) => alwaysSo([strata.filter(({ zero }) => !zero), strata.filter(({ zero }) => zero)]),
  random: (strata) => alwaysSo([strata]),
  lru: coldestFirst,
  frequency: coldestFirst,
  increasing: coldestFirst,
  decreasing: (strata, context) => alwaysSo(alike(strata, slotRatesOf(ratesOf(strata), context)).reverse()),
  threshold: hottestFewFirst,
};

/** The page order `name` of a migration as one of strata, whose rates it is taken to know. `undefined`: it has none. */
export function orderOfStrata(name: OrderName): StrataRule | undefined {
  return rules[name];
}

/** π in a window, as orders know it: what is near certainty cannot be told apart. */
function heatsOf(writesPerSecond: Float64Array, { windowNs }: StrataContext): Float64Array {
  const heat = known({ writesPerSecond }, windowNs);
  return writesPerSecond.map((_, index) => heat.of(index));
}

/** λ, the writes in a slot, that follow from these heats. */
function slotRatesOf(writesPerSecond: Float64Array, context: StrataContext): Float64Array {
  const heats = heatsOf(writesPerSecond, context);
  return writeRates(heats.map((heat) => perSlot(heat, context.slotsPerWindow)));
}

function ratesOf(strata: readonly PageStratum[]): Float64Array {
  return Float64Array.from(strata, ({ writesPerSecond }) => writesPerSecond);
}

/** In every round the groups as they are. */
function alwaysSo(groups: readonly (readonly PageStratum[])[]): OrderedPortions {
  const portions = portionsOf(groups);
  const order = Uint32Array.from({ length: portions.starts.length - 1 }, (_, stretch) => stretch);
  return { portions, order: () => order };
}

/** Groups of strata by ascending keys. Orders compare 32-bit numbers: what they take for equal is sent mixed. */
function alike(strata: readonly PageStratum[], keys: Float64Array): PageStratum[][] {
  const groups = new Map<number, PageStratum[]>();
  strata.forEach((stratum, index) => {
    const key = Math.fround(keys[index]!);
    const group = groups.get(key);
    if (group) group.push(stratum);
    else groups.set(key, [stratum]);
  });
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
}

/**
 * The order `threshold`: so many of the hottest pages first, in decreasing heat, then the others in increasing heat. Of
 * the stretches, which ascend, each goes whole to where its middle belongs.
 */
function hottestFewFirst(strata: readonly PageStratum[], context: StrataContext): OrderedPortions {
  const portions = portionsOf(alike(strata, slotRatesOf(ratesOf(strata), context)));
  const slotRates = slotRatesOf(portions.writesPerSecond, context);
  const stretches = portions.starts.length - 1;
  return {
    portions,
    order: (toSend) => {
      const ends = endsOf(portions, toSend);
      const hottest = ends[stretches]! - hottestFew(runsOf(portions, slotRates, ends));
      let first = stretches;
      while (first > 0 && (ends[first - 1]! + ends[first]!) / 2 >= hottest) first -= 1;
      const few = stretches - first;
      return Uint32Array.from({ length: stretches }, (_, at) => (at < few ? stretches - 1 - at : at - few));
    },
  };
}

/** The pages to be sent before each stretch, and at last all of them. */
function endsOf({ starts }: Portions, toSend: Float64Array): Float64Array {
  const ends = new Float64Array(starts.length);
  for (let stretch = 0; stretch + 1 < starts.length; stretch++) {
    ends[stretch + 1] = ends[stretch]!;
    for (let portion = starts[stretch]!; portion < starts[stretch + 1]!; portion++)
      ends[stretch + 1]! += toSend[portion]!;
  }
  return ends;
}

/** Stretches of one rate are a run; pages are rounded to whole numbers. */
function runsOf({ starts }: Portions, slotRates: Float64Array, ends: Float64Array): Runs {
  const rates: number[] = [];
  const runStarts: number[] = [];
  for (let stretch = 0; stretch + 1 < starts.length; stretch++) {
    const rate = slotRates[starts[stretch]!]!;
    if (rate === rates.at(-1)) continue;
    rates.push(rate);
    runStarts.push(Math.round(ends[stretch]!));
  }
  return {
    rates: Float64Array.from(rates),
    starts: Uint32Array.from([...runStarts, Math.round(ends.at(-1)!)]),
  };
}
