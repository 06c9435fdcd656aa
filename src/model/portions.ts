/** Pages that are alike, scattered over the memory or, if they hold zeros, at its end. */
export interface PageStratum {
  readonly pages: number;
  /** How often each of them is written, independently of all others. */
  readonly writesPerSecond: number;
  /** F: whether they wait for the stop whenever they are dirty. */
  readonly deferred: boolean;
  /** Whether they hold zeros when the migration starts. */
  readonly zero: boolean;
}

/**
 * A guest's pages in portions, the unit that the model follows: pages of one stratum that are sent at about the same time.
 * Columns, because there may be as many portions as pages.
 */
export interface Portions {
  /** How many pages there are in each portion; need not be whole. */
  readonly pages: Float64Array;
  readonly writesPerSecond: Float64Array;
  /** 1: yes. So is `zero`. */
  readonly deferred: Uint8Array;
  readonly zero: Uint8Array;
  /** Stretch s is the portions from starts[s] to starts[s + 1] − 1: their pages are sent mixed with each other. */
  readonly starts: Uint32Array;
  /** How many pages of each stretch are not deferred, and so share its slots; at least one. */
  readonly sharers: Float64Array;
}

/** No stretch is shorter than a page, and it need not be shorter than this share of its group. */
const STRETCHES_MAX = 64;
/** Of many strata each has fewer portions, so that there are about so many in all. */
const PORTIONS_ENOUGH = 2 ** 14;
const STRETCHES_MIN = 8;

/**
 * Portions of strata in groups, first sent first; the pages of a group are sent mixed. A group is cut into stretches,
 * because where a page is in the order decides how long it is exposed, in one round like in the next. That pages of a
 * stretch are as likely to be dirty as each other is wrong by the square of its length (`test/model/portions.test.ts`).
 */
export function portionsOf(groups: readonly (readonly PageStratum[])[]): Portions {
  const strata = groups.reduce((sum, group) => sum + group.length, 0);
  const most = Math.max(STRETCHES_MIN, Math.min(STRETCHES_MAX, Math.floor(PORTIONS_ENOUGH / strata)));
  const starts = [0];
  const sharers: number[] = [];
  const portions: PageStratum[] = [];
  for (const group of groups) {
    const pages = group.reduce((sum, stratum) => sum + stratum.pages, 0);
    const stretches = Math.min(most, Math.ceil(pages));
    const sent = group.reduce((sum, stratum) => sum + (stratum.deferred ? 0 : stratum.pages), 0);
    for (let stretch = 0; stretch < stretches; stretch++) {
      for (const stratum of group) portions.push({ ...stratum, pages: stratum.pages / stretches });
      starts.push(portions.length);
      sharers.push(Math.max(1, sent / stretches));
    }
  }
  return {
    pages: Float64Array.from(portions, ({ pages }) => pages),
    writesPerSecond: Float64Array.from(portions, ({ writesPerSecond }) => writesPerSecond),
    deferred: Uint8Array.from(portions, ({ deferred }) => Number(deferred)),
    zero: Uint8Array.from(portions, ({ zero }) => Number(zero)),
    starts: Uint32Array.from(starts),
    sharers: Float64Array.from(sharers),
  };
}

/** Every page a portion and a stretch of its own, where it matters which page is which. The last `zeroPages` hold zeros. */
export function portionsOfPages(
  writesPerSecond: Float64Array,
  zeroPages: number,
  isDeferred: (page: number) => boolean,
): Portions {
  const pages = writesPerSecond.length;
  const deferred = new Uint8Array(pages);
  const starts = new Uint32Array(pages + 1);
  for (let page = 0; page < pages; page++) {
    deferred[page] = Number(isDeferred(page));
    starts[page + 1] = page + 1;
  }
  const one = new Float64Array(pages).fill(1);
  const zero = new Uint8Array(pages).fill(1, pages - zeroPages);
  return { pages: one, writesPerSecond, deferred, zero, starts, sharers: one };
}
