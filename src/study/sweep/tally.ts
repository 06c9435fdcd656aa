import type { MigrationRecord } from '../../core/migration/record.ts';
import type { Design, Run } from './design.ts';

/** Downtimes and totals of some cells, by repetition; NaN where a run was not completed. */
export interface CellTally {
  readonly downtimesNs: number[];
  readonly totalsNs: number[];
}

export type Figures = ReturnType<typeof figuresOf>;

/** NaN where the migration was not completed. `isChanged`: the guest was changed on its way. */
export function figuresOf({ outcome, downtimeNs, totalNs, verified }: MigrationRecord) {
  const isChanged = verified.continued === 'different';
  if (outcome === 'completed' && !isChanged) return { downtimeNs, totalNs, isChanged };
  return { downtimeNs: Number.NaN, totalNs: Number.NaN, isChanged };
}

/** Cells of a table that a person can still read. */
const ROWS_MAX = 40;

/** What is kept in memory of the runs of a sweep: two numbers each, and only if a table or the agenda needs them. */
export class Tally {
  /** In so many of the runs the guest was changed on its way. */
  changed = 0;
  readonly #cells = new Map<number, CellTally>();
  readonly #keeps: boolean;
  readonly #tabulates: boolean;

  constructor(design: Design) {
    this.#tabulates = design.cells <= ROWS_MAX;
    this.#keeps = this.#tabulates || design.until !== null;
  }

  add({ cell, repetition }: Run, { downtimeNs, totalNs, isChanged }: Figures): void {
    if (isChanged) this.changed += 1;
    if (!this.#keeps) return;
    let tally = this.#cells.get(cell);
    if (!tally) this.#cells.set(cell, (tally = { downtimesNs: [], totalsNs: [] }));
    tally.downtimesNs[repetition - 1] = downtimeNs;
    tally.totalsNs[repetition - 1] = totalNs;
  }

  downtimeNs({ cell, repetition }: Run): number {
    return this.#cells.get(cell)!.downtimesNs[repetition - 1]!;
  }

  /** The cells by number. `undefined`: too many for a table. */
  get cells(): ReadonlyMap<number, CellTally> | undefined {
    return this.#tabulates ? this.#cells : undefined;
  }
}
