import type { MigrationRecord, RunMetadata } from '../../core/migration/record.ts';
import { predictedOf } from '../../run/predict.ts';
import type { ScenarioCell } from '../../scenario/scenario.ts';
import { byPath } from '../../scenario/settings.ts';
import { cellCommandOf } from './command.ts';
import { cellOf, type Design } from './design.ts';

/** What is the same for all repetitions of a cell. */
export interface PreparedCell {
  readonly index: number;
  readonly cell: ScenarioCell;
  readonly settings: RecordedCell['settings'];
  readonly predicted: RunMetadata['predicted'];
  /** Runs it alone, once a seed is added. */
  readonly command: string;
}

/** What a record of a sweep or of stress says of its cell. */
export interface RecordedCell {
  readonly index: number;
  readonly repetition: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Carries out this run again, alone. */
  readonly command: string;
}

/** A record of a sweep: that of a run, and its cell. */
export type SweepRecord = MigrationRecord & { readonly cell: RecordedCell };

/** The record as `run --json` writes it, and at its end which cell it is of. */
export function recordLine(
  { index, settings, command }: PreparedCell,
  repetition: number,
  record: MigrationRecord,
): string {
  const cell: RecordedCell = {
    index,
    repetition,
    settings,
    command: `${command} --seed ${record.seed}`,
  };
  return `${JSON.stringify(record).slice(0, -1)},"cell":${JSON.stringify(cell)}}\n`;
}

/** Two blocks of the agenda: one may start before the last one has ended. */
const KEPT = 32;

/** Cells, prepared when they are first needed. */
export class PreparedCells {
  readonly #design: Design;
  readonly #cells = new Map<number, PreparedCell>();

  constructor(design: Design) {
    this.#design = design;
  }

  at(index: number): PreparedCell {
    const known = this.#cells.get(index);
    if (known) return known;
    const cell = cellOf(this.#design, index);
    const prepared = {
      index,
      cell,
      settings: byPath(cell.settings),
      predicted: predictedOf(cell),
      command: cellCommandOf(this.#design, index),
    };
    // A Map keeps the order in which its keys were added.
    if (this.#cells.size === KEPT) this.#cells.delete(this.#cells.keys().next().value!);
    this.#cells.set(index, prepared);
    return prepared;
  }
}
