import { byProbability, insistOnAtMost } from './by-probability.ts';
import { dirtyAfter, writeRates } from './objective.ts';

/** O(n³) work: at this many pages about a second. */
export const EXACT_PAGES_MAX = 500;

/**
 * The optimum over all n! orders of one round: a linear assignment of pages to slots. To maximise the pages
 * expected clean, Σ (1 − π_i)^e(i), is to minimise the cost d(i, e) = 1 − (1 − π_i)^e. RangeError above
 * `EXACT_PAGES_MAX` pages. It is the yardstick of the other orders, not one to migrate by.
 */
export function exactOrder(probabilities: Float64Array): Uint32Array {
  const pages = probabilities.length;
  insistOnAtMost(EXACT_PAGES_MAX, probabilities, 'exact');
  const rates = writeRates(probabilities);
  return leastAssignment(pages, (item, slot) => dirtyAfter(rates[item]!, pages - slot));
}

export const exact = byProbability(exactOrder);

/**
 * The assignment of `size` rows to as many columns with the least total cost, as the row of each column, by
 * shortest augmenting paths with potentials (Jonker and Volgenant, Computing 38, 1987, without its warm start).
 *
 * Invariant: cost(r, c) − rowPotential[r] − columnPotential[c] ≥ 0, and 0 where r holds c. A new row grows a
 * tree of shortest paths (Dijkstra on those reduced costs) until it meets a free column; the potentials move by
 * the path lengths, which keeps the invariant, and the rows along the path each take the next column on it.
 */
function leastAssignment(size: number, cost: (row: number, column: number) => number): Uint32Array {
  const costs = new Float64Array(size * size);
  for (let cell = 0; cell < costs.length; cell++) costs[cell] = cost(Math.floor(cell / size), cell % size);
  const rowPotential = new Float64Array(size);
  const columnPotential = new Float64Array(size);
  const holder = new Int32Array(size).fill(FREE);
  const column = new Int32Array(size).fill(FREE);
  const distance = new Float64Array(size);
  const cameFrom = new Int32Array(size);
  const scanned = new Uint8Array(size);

  for (let newcomer = 0; newcomer < size; newcomer++) {
    distance.fill(Number.POSITIVE_INFINITY);
    scanned.fill(0);
    let row = newcomer;
    let length = 0;
    let end: number = FREE;
    while (row !== FREE) {
      let nearest = FREE;
      for (let to = 0; to < size; to++) {
        if (scanned[to] === 1) continue;
        const through = length + costs[row * size + to]! - rowPotential[row]! - columnPotential[to]!;
        if (through < distance[to]!) {
          distance[to] = through;
          cameFrom[to] = row;
        }
        if (nearest === FREE || distance[to]! < distance[nearest]!) nearest = to;
      }
      scanned[nearest] = 1;
      length = distance[nearest]!;
      end = nearest;
      row = holder[nearest]!;
    }
    rowPotential[newcomer]! += length;
    for (let to = 0; to < size; to++) {
      if (scanned[to] === 0 || to === end) continue;
      rowPotential[holder[to]!]! += length - distance[to]!;
      columnPotential[to]! -= length - distance[to]!;
    }
    for (let free = end; free !== FREE; ) {
      const taker = cameFrom[free]!;
      const given = taker === newcomer ? FREE : column[taker]!;
      holder[free] = taker;
      column[taker] = free;
      free = given;
    }
  }
  return Uint32Array.from(holder);
}

const FREE = -1;
