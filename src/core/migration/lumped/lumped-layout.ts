import type { Random } from '../../random.ts';
import { sampleOfKinds } from '../../random-counts.ts';
import { NANOS_PER_SECOND } from '../../units.ts';
import { orderRegistry } from '../order/orders.ts';
import type { Defer, Plan } from '../plan.ts';
import type { LumpedStratum } from './lumped-pages.ts';

/** What the guest's program tells apart. Page 0 is one of the first; pages of zeros are among the last, which nobody writes. */
export interface WrittenStratum {
  readonly pages: number;
  readonly writesPerSecond: number;
}

/**
 * Where a page's instant counts, the memory is sent in so many slices, and addresses are told apart by the slice that they are in:
 * within one, a page's place is drawn anew in every round. Of what a round leaves dirty that is a share of at most 1/64² wrong.
 */
const SLICES = 64;

/** How many pages a slice has at most. */
export function sliceOf(pages: number): number {
  return Math.ceil(pages / SLICES);
}

/** Whether strata are all that a plan needs to know of pages: heats that are not learned, and orders that compare only two. */
export function isLumpable({ order, heat, defer, clear }: Plan): boolean {
  const { heat: needed, dependsOnOthers, name } = orderRegistry.get(order);
  const isOurs = name in rankOf;
  const needsHeat = needed !== 'none' || defer !== null;
  return isOurs && !dependsOnOthers && typeof clear !== 'object' && (!needsHeat || heat === 'known');
}

/** By which number each order sends pages, of which it knows the probability of a write, or the address. */
const rankOf: Readonly<Record<string, (heat: number, slice: number) => number>> = {
  address: (_, slice) => slice,
  random: () => 0,
  lru: (heat) => heat,
  frequency: (heat) => heat,
  increasing: (heat) => heat,
  decreasing: (heat) => -heat,
};

interface Piece extends Omit<LumpedStratum, 'place'> {
  /** π within a window; heats are told apart as 32-bit numbers (heat.ts, coldest-first.ts). */
  readonly heat: number;
  readonly slice: number;
}

/**
 * The strata of a migration: those of the program, cut where the plan tells their pages apart, by address or because only some of
 * them are held back. A program's pages are scattered over the memory, and behind them are the pages of zeros.
 */
export function lumpedLayout(
  plan: Plan,
  written: readonly WrittenStratum[],
  zeroPages: number,
  random: Random,
): readonly LumpedStratum[] {
  const heatOf = (writesPerSecond: number) =>
    Math.fround(-Math.expm1((-writesPerSecond * plan.windowNs) / NANOS_PER_SECOND));
  const plain = { isZero: false, isHeldBack: false, slice: 0 };
  const used: Piece[] = written.map(({ pages, writesPerSecond }, writer) => ({
    ...plain,
    pages: pages - (writer === 0 ? 1 : 0) - (writer === written.length - 1 ? zeroPages : 0),
    heat: heatOf(writesPerSecond),
    writer,
  }));
  const bySlice = plan.order === 'address' && (plan.clear === 'page' || plan.defer !== null);
  const all: readonly Piece[] = [
    { ...plain, pages: 1, heat: used[0]!.heat, writer: 'page 0', slice: -1 },
    ...(bySlice ? sliced(used, random) : used),
    { ...plain, pages: zeroPages, heat: 0, writer: 'nobody', isZero: true, slice: SLICES },
  ];
  const rank = rankOf[plan.order]!;
  const some = all.filter(({ pages }) => pages > 0);
  return heldBack(some, plan.defer, random).map(({ heat, slice, ...each }) => ({
    ...each,
    place: rank(heat, slice),
  }));
}

/** How many pages of each stratum are in each slice of the addresses. */
function sliced(strata: readonly Piece[], random: Random): Piece[] {
  const left = strata.map(({ pages }) => pages);
  const all = left.reduce((sum, pages) => sum + pages, 0);
  return Array.from({ length: SLICES }, (_, slice) => {
    const size = Math.floor(((slice + 1) * all) / SLICES) - Math.floor((slice * all) / SLICES);
    return sampleOfKinds(random, left, size).map((pages, stratum) => {
      left[stratum]! -= pages;
      return { ...strata[stratum]!, pages, slice };
    });
  }).flat();
}

/** F: what is written with at least the threshold's probability, or the hottest so many, of equal ones those of lower address. */
function heldBack(strata: readonly Piece[], defer: Defer | null, random: Random): readonly Piece[] {
  if (defer === null) return strata;
  if ('threshold' in defer) {
    return strata.map((each) => ({ ...each, isHeldBack: each.heat >= defer.threshold }));
  }
  let left = defer.count;
  return equals(strata).flatMap((group) => {
    const held = sampleOfKinds(
      random,
      group.map(({ pages }) => pages),
      left,
    );
    left -= held.reduce((sum, pages) => sum + pages, 0);
    return group
      .flatMap((each, index) => [
        { ...each, pages: held[index]!, isHeldBack: true },
        { ...each, pages: each.pages - held[index]! },
      ])
      .filter(({ pages }) => pages > 0);
  });
}

/** Those of one heat in one slice together, the hottest first, and of these the lowest addresses. */
function equals(strata: readonly Piece[]): readonly (readonly Piece[])[] {
  const sorted = strata.toSorted((one, other) => other.heat - one.heat || one.slice - other.slice);
  const groups: Piece[][] = [];
  for (const each of sorted) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    if (first?.heat === each.heat && first.slice === each.slice) last!.push(each);
    else groups.push([each]);
  }
  return groups;
}
