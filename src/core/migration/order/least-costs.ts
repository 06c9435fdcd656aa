import { dirtyAfter } from './objective.ts';

/** A block of fewer rows or columns is scanned cell by cell. */
const BLOCK = 16;

/**
 * For every row x the least cost over all columns y: min_y 1 − exp(−x·y) + price(y). Rows and columns ascend and
 * are rates and exposures, or exposures and rates. Exact for any prices, in O(n log² n) cells instead of n².
 *
 * Of two columns y < y', the cost of y' over that of y changes with x at the rate y'·exp(−xy') − y·exp(−xy), and
 * z·exp(−xz) rises in z up to z = 1/x and falls after. So where x·y' ≤ 1 the cheapest column moves left as x
 * grows, where x·y ≥ 1 it moves right, and in a block of the matrix on one side of the curve x·y = 1 each halving
 * of the rows halves the columns left to look at. Blocks across the curve are quartered; it ascends nowhere, so
 * at every depth it meets few of them.
 */
export function leastCosts(rows: Float64Array, columns: Float64Array, prices: Float64Array): Float64Array {
  const least = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);

  const scan = (row: number, from: number, to: number): number => {
    const x = rows[row]!;
    let cheapest = from;
    let cost = Number.POSITIVE_INFINITY;
    for (let column = from; column <= to; column++) {
      const here = dirtyAfter(x, columns[column]!) + prices[column]!;
      if (here < cost) [cost, cheapest] = [here, column];
    }
    least[row] = Math.min(least[row]!, cost);
    return cheapest;
  };

  const halve = (top: number, bottom: number, from: number, to: number, movesRight: boolean): void => {
    if (top > bottom) return;
    const middle = (top + bottom) >>> 1;
    const cheapest = scan(middle, from, to);
    halve(top, middle - 1, movesRight ? from : cheapest, movesRight ? cheapest : to, movesRight);
    halve(middle + 1, bottom, movesRight ? cheapest : from, movesRight ? to : cheapest, movesRight);
  };

  const quarter = (top: number, bottom: number, from: number, to: number): void => {
    if (rows[bottom]! * columns[to]! <= 1) halve(top, bottom, from, to, false);
    else if (rows[top]! * columns[from]! >= 1) halve(top, bottom, from, to, true);
    else if (bottom - top < BLOCK || to - from < BLOCK) {
      for (let row = top; row <= bottom; row++) scan(row, from, to);
    } else {
      const row = (top + bottom) >>> 1;
      const column = (from + to) >>> 1;
      quarter(top, row, from, column);
      quarter(top, row, column + 1, to);
      quarter(row + 1, bottom, from, column);
      quarter(row + 1, bottom, column + 1, to);
    }
  };

  if (rows.length > 0) quarter(0, rows.length - 1, 0, columns.length - 1);
  return least;
}
