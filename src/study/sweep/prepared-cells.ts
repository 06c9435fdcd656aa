import { predictedOf } from '../../run/predict.ts';
import type { CellResult } from '../../run/run.ts';
import { cellCommandOf } from './command.ts';
import { type Design, scenarioOf, settingsOf } from './design.ts';

/** What is the same for all repetitions of a cell. */
export interface PreparedCell extends Pick<CellResult, 'scenario' | 'predicted'> {
  readonly index: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Runs it alone, once a seed is added. */
  readonly command: string;
}

/** Blocks of cells follow each other; two of them are at hand at most. */
const KEPT = 32;

/** Cells, prepared when they are first asked for. */
export class PreparedCells {
  readonly #design: Design;
  readonly #cells = new Map<number, PreparedCell>();

  constructor(design: Design) {
    this.#design = design;
  }

  at(index: number): PreparedCell {
    const known = this.#cells.get(index);
    if (known) return known;
    const scenario = scenarioOf(this.#design, index);
    const cell: PreparedCell = {
      index,
      scenario,
      predicted: predictedOf(scenario),
      settings: Object.fromEntries(settingsOf(this.#design, index).map(({ path, value }) => [path, value])),
      command: cellCommandOf(this.#design, index),
    };
    // A Map keeps the order in which its keys were added.
    if (this.#cells.size === KEPT) this.#cells.delete(this.#cells.keys().next().value!);
    this.#cells.set(index, cell);
    return cell;
  }
}
