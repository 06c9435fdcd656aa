import type { PageSet } from '../../core/migration/pages.ts';
import { summary } from '../statistics/estimate.ts';
import { type Design, type Run, runsMax } from './design.ts';
import type { Until } from './design-schema.ts';

/** The part of a design that one of several machines runs: the i-th of n. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export const wholeDesign: Shard = { index: 1, of: 1 };

/** The number of a run among all that a design can have. */
export function runNumber(design: Design, { cell, repetition }: Run): number {
  return cell * runsMax(design) + repetition - 1;
}

/**
 * Shards divide single runs, so that a design of few cells keeps many machines busy. With `until` they divide cells,
 * because the results of a cell decide how often it is repeated.
 */
export function isOwn(design: Design, { index, of }: Shard, run: Run): boolean {
  return (design.until ? run.cell : runNumber(design, run)) % of === index - 1;
}

/** Cells whose repetitions are run in turn. It must not exceed the cells that a worker keeps prepared. */
const BLOCK_CELLS = 16;
const GROWTH = 1.5;

/**
 * The runs that are still missing. Cells are taken in blocks, and all cells of a block run before any is repeated. In a
 * real world the block is the whole design, so that a slow drift of the machine does not favour one cell.
 *
 * With `until`, a cell is judged after its fewest repetitions and whenever it has half as many again. These points
 * do not depend on what came in first or on an interruption, so neither does where the repetition ends.
 */
export class Agenda {
  readonly #design: Design;
  readonly #shard: Shard;
  readonly #done: PageSet;
  readonly #blocks: Iterator<Run>;
  readonly #further: Run[] = [];
  readonly #open = new Map<number, OpenCell>();

  /**
   * @param done the numbers of the runs of which there are records
   * @param downtimeNs with `until`, of each of these; NaN if it was not completed
   */
  constructor(design: Design, shard: Shard, done: PageSet, downtimeNs: (run: Run) => number) {
    this.#design = design;
    this.#shard = shard;
    this.#done = done;
    this.#blocks = this.#inBlocks(downtimeNs);
  }

  /** How many runs are missing, as far as is known before the first one. */
  get known(): number {
    const { cells, runs } = this.#design;
    let missing = 0;
    for (let cell = 0; cell < cells; cell++) {
      for (let repetition = 1; repetition <= runs; repetition++) {
        if (this.#isMissing({ cell, repetition })) missing += 1;
      }
    }
    return missing;
  }

  /** The next runs, at most `most`. None: all are done, or the next ones depend on runs that are under way. */
  take(most: number): readonly Run[] {
    const runs = this.#further.splice(0, most);
    while (runs.length < most) {
      const next = this.#blocks.next();
      if (next.done) return [...runs, ...this.#further.splice(0, most - runs.length)];
      runs.push(next.value);
    }
    return runs;
  }

  /** A run is done. @returns how many runs were added because of it */
  recorded(run: Run, downtimeNs: number): number {
    const cell = this.#open.get(run.cell);
    if (!cell) return 0;
    cell.downtimesNs[run.repetition - 1] = downtimeNs;
    cell.missing -= 1;
    return this.#judge(run.cell, cell);
  }

  *#inBlocks(downtimeNs: (run: Run) => number): Generator<Run> {
    const { cells, runs, world, until } = this.#design;
    const block = world === 'virtual' ? BLOCK_CELLS : cells;
    for (let first = 0; first < cells; first += block) {
      const last = Math.min(first + block, cells);
      if (until) for (let cell = first; cell < last; cell++) this.#openCell(cell, downtimeNs);
      for (let repetition = 1; repetition <= runs; repetition++) {
        for (let cell = first; cell < last; cell++) {
          if (this.#isMissing({ cell, repetition })) yield { cell, repetition };
        }
      }
    }
  }

  #isMissing(run: Run): boolean {
    return isOwn(this.#design, this.#shard, run) && !this.#done.has(runNumber(this.#design, run));
  }

  #openCell(index: number, downtimeNs: (run: Run) => number): void {
    const { runs } = this.#design;
    if (!isOwn(this.#design, this.#shard, { cell: index, repetition: 1 })) return;
    const cell: OpenCell = { stage: runs, missing: 0, downtimesNs: [] };
    for (let repetition = 1; repetition <= runsMax(this.#design); repetition++) {
      const run = { cell: index, repetition };
      if (!this.#isMissing(run)) cell.downtimesNs[repetition - 1] = downtimeNs(run);
      else if (repetition <= runs) cell.missing += 1;
    }
    this.#open.set(index, cell);
    this.#judge(index, cell);
  }

  /** Once all runs of a cell's stage are done, either its interval is narrow enough or a longer stage follows. */
  #judge(index: number, cell: OpenCell): number {
    const until = this.#design.until!;
    let added = 0;
    while (cell.missing === 0) {
      if (cell.stage >= until.most || isNarrow(cell.downtimesNs.slice(0, cell.stage), until)) {
        this.#open.delete(index);
        return added;
      }
      const from = cell.stage + 1;
      cell.stage = Math.min(until.most, Math.ceil(cell.stage * GROWTH));
      for (let repetition = from; repetition <= cell.stage; repetition++) {
        if (!this.#isMissing({ cell: index, repetition })) continue;
        this.#further.push({ cell: index, repetition });
        cell.missing += 1;
        added += 1;
      }
    }
    return added;
  }
}

/** A cell whose number of repetitions is not known yet. */
interface OpenCell {
  /** The number of repetitions after which it is judged again. */
  stage: number;
  /** How many of these are missing. */
  missing: number;
  readonly downtimesNs: number[];
}

function isNarrow(downtimesNs: readonly number[], { interval }: Until): boolean {
  const completed = downtimesNs.filter((ns) => !Number.isNaN(ns));
  if (completed.length === 0) return false;
  const { low, high, median, confident } = summary(completed);
  return confident && high - low <= interval * median;
}
