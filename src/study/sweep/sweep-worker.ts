import { workerData } from 'piscina';
import { type UsedFile, useAgain } from '../../platform/used-files.ts';
import { migrateVirtually } from '../../run/ensemble.ts';
import { recordOf } from '../../run/migration-run.ts';
import { seeded } from '../../scenario/scenario.ts';
import { type Design, type Run, seedOf } from './design.ts';
import { PreparedCells, recordLine } from './prepared-cells.ts';
import { type Figures, figuresOf } from './tally.ts';

/**
 * The results of a batch of runs: their records, a line each, as they are to be written, and the figures that the sweep itself
 * needs. As bytes they cost the thread that writes them nothing; as text it would spend more time on it than on all else.
 */
export interface Batch {
  readonly lines: Uint8Array;
  readonly figures: readonly Figures[];
  readonly tookMs: number;
}

/** What a thread is told of the sweep. */
export interface SweepThread {
  readonly design: Design;
  readonly use: readonly UsedFile[];
}

const { design, use }: SweepThread = workerData;
await useAgain(use);
const cells = new PreparedCells(design);
const scenario = design.scenario.name;
const encoder = new TextEncoder();
/** In virtual time there is no date. */
const world = { startedAt: new Date(0).toISOString() };

/** Runs in virtual time, one after the other. */
export default function (runs: readonly Run[]): Batch {
  const beganMs = performance.now();
  const figures: Figures[] = [];
  let lines = '';
  for (const run of runs) {
    const prepared = cells.at(run.cell);
    const { cell, predicted } = prepared;
    const spec = seeded(cell, seedOf(design, run));
    const result = migrateVirtually(spec, true);
    const went = { spec, result, world, admission: null, notes: [] };
    const record = recordOf(went, { world: 'virtual', scenario, predicted });
    lines += recordLine(prepared, run.repetition, record);
    figures.push(figuresOf(record));
  }
  return { lines: encoder.encode(lines), figures, tookMs: performance.now() - beganMs };
}
