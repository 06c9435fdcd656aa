import { meanSpeed } from './program-clock.ts';
import type { GuestSpec } from './programs.ts';
import type { ZipfSpec } from './zipf.ts';

/** Pages that are written independently, each at the same rate, scattered over the memory. */
export interface Stratum {
  readonly pages: number;
  /** How often each of them is written in the long run, bursts included. */
  readonly writesPerSecond: number;
}

/** Within a stratum of a Zipf guest, the hottest page is written at most this share more often than the coldest. */
export const ZIPF_STRATUM_SPREAD = 0.02;

/**
 * The guest's memory in strata of pages that are alike: its classes, or the ranks of Zipf's law in bands, and, last, the
 * pages that nobody writes, zero pages among them. The pages of all strata together are the guest's.
 * @returns `undefined`: its program does not write pages independently of each other
 */
export function strataOf(guest: Omit<GuestSpec, 'seed'>): readonly Stratum[] | undefined {
  const { program } = guest;
  const written =
    program.kind === 'classes' ? program.classes : program.kind === 'zipf' ? bandsOf(program) : undefined;
  if (!written) return undefined;
  const speed = meanSpeed(guest.bursts);
  const strata = written.map(({ pages, writesPerSecond }) => ({
    pages,
    writesPerSecond: writesPerSecond * speed,
  }));
  const others = guest.pages - strata.reduce((sum, { pages }) => sum + pages, 0);
  return others > 0 ? [...strata, { pages: others, writesPerSecond: 0 }] : strata;
}

/**
 * Ranks r = 1, 2, … take shares in proportion to r^−s. A band of ranks a … b has the mean of their rates,
 *
 *   rate · H(a, b) / (H(1, n)·(b − a + 1)),  H(a, b) = Σ r^−s over a … b,
 *
 * and ends where r^−s has fallen by the spread.
 */
function bandsOf({ pages, exponent, writesPerSecond }: ZipfSpec): readonly Stratum[] {
  const bands: { pages: number; weight: number }[] = [];
  let all = 0;
  for (let first = 1; first <= pages; ) {
    const last = Math.min(
      pages,
      Math.max(first, Math.floor(first * (1 + ZIPF_STRATUM_SPREAD) ** (1 / exponent))),
    );
    const weight = harmonic(first, last, exponent);
    bands.push({ pages: last - first + 1, weight });
    all += weight;
    first = last + 1;
  }
  return bands.map(({ pages, weight }) => ({
    pages,
    writesPerSecond: (writesPerSecond * weight) / (all * pages),
  }));
}

/** So few are added one by one. */
const ADDED_ONE_BY_ONE = 64;

/** Σ r^−s for r = a … b; of many by Euler and Maclaurin, whose next term is below 1e-9 of the sum from rank 64 on. */
function harmonic(first: number, last: number, s: number): number {
  if (last - first < ADDED_ONE_BY_ONE) {
    let sum = 0;
    for (let rank = first; rank <= last; rank++) sum += rank ** -s;
    return sum;
  }
  const integral = s === 1 ? Math.log(last / first) : (last ** (1 - s) - first ** (1 - s)) / (1 - s);
  const ends = (first ** -s + last ** -s) / 2;
  return integral + ends + (s * (first ** (-s - 1) - last ** (-s - 1))) / 12;
}
