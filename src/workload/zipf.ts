import { poissonProgram } from './poisson-program.ts';
import type { Activity, PoissonGroup, Program, ProgramKind, ProgramPlace } from './program.ts';
import { scattered } from './scatter.ts';
import { upperBound } from './upper-bound.ts';

/** Writes whose targets follow Zipf's law: the page of rank r takes a share in proportion to r^−exponent. */
export interface ZipfSpec {
  readonly kind: 'zipf';
  readonly pages: number;
  readonly exponent: number;
  /** Of all pages together. */
  readonly writesPerSecond: number;
}

/** The shares of ranks 1, 2, … added up: the last is 1. */
function cumulativeShares({ pages, exponent }: ZipfSpec): Float64Array {
  const shares = new Float64Array(pages);
  let sum = 0;
  for (let rank = 0; rank < pages; rank++) shares[rank] = sum += (rank + 1) ** -exponent;
  return shares.map((share) => share / sum);
}

/** The first rank whose cumulative share exceeds a random point takes the write. */
function program(spec: ZipfSpec, { pages, seed }: ProgramPlace): Program {
  const layout = scattered(pages, seed);
  const shares = cumulativeShares(spec);
  return poissonProgram(spec.writesPerSecond, (random) => layout[upperBound(shares, random.uniform())]!);
}

/** Ranks in bands, the first page of a band at most twice as hot as its last, so that drawing wastes little. */
function activity(spec: ZipfSpec, { pages, seed }: ProgramPlace): Activity {
  const layout = scattered(pages, seed);
  const groups = bandsOf(spec).map(({ start, writesPerSecond }): PoissonGroup => {
    const mostWritesPerSecond = writesPerSecond[0]!;
    return {
      pages: layout.subarray(start, start + writesPerSecond.length),
      mostWritesPerSecond,
      writesPerSecond,
    };
  });
  return { kind: 'poisson', groups };
}

/** Neighbouring ranks, counted from 0, and how often the page of each is written. */
interface Band {
  readonly start: number;
  readonly writesPerSecond: Float64Array;
}

/** All migrations of a cell have the same program, and its bands take longer to find than one of them. */
const foundBands = new WeakMap<ZipfSpec, readonly Band[]>();

function bandsOf(spec: ZipfSpec): readonly Band[] {
  const found = foundBands.get(spec);
  if (found) return found;
  const shares = cumulativeShares(spec);
  const rates = shares.map((share, rank) => (share - (shares[rank - 1] ?? 0)) * spec.writesPerSecond);
  const bands: Band[] = [];
  for (let start = 0; start < spec.pages; ) {
    let end = start;
    while (end < spec.pages && rates[end]! * 2 >= rates[start]!) end++;
    bands.push({ start, writesPerSecond: rates.subarray(start, end) });
    start = end;
  }
  foundBands.set(spec, bands);
  return bands;
}

export const zipf: ProgramKind<ZipfSpec> = { program, activity, pagesNeeded: ({ pages }) => pages };
