import { workerData } from 'piscina';
import { migrationRecord } from '../../core/migration/record.ts';
import { type UsedFile, useAgain } from '../../platform/used-files.ts';
import { migrateVirtually } from '../../run/ensemble.ts';
import { metadataOf } from '../../run/migration-run.ts';
import { seeded } from '../../scenario/scenario.ts';
import { type Design, type Run, seedOf } from './design.ts';
import { PreparedCells, recordLine } from './prepared-cells.ts';
import { figuresOf } from './tally.ts';

/** What a batch of runs came to: their records, a line each, and what is reckoned with at once. */
export interface Batch {
  readonly lines: string;
  /** NaN: not completed. */
  readonly downtimesNs: Float64Array;
  readonly totalsNs: Float64Array;
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
/** In virtual time there is no date. */
const startedAt = new Date(0).toISOString();
const common = { world: 'virtual', scenario: design.scenario.name, startedAt, admission: null };

/** Runs in virtual time, one after the other. */
export default function (runs: readonly Run[]): Batch {
  const beganMs = performance.now();
  const downtimesNs = new Float64Array(runs.length);
  const totalsNs = new Float64Array(runs.length);
  let lines = '';
  for (const [index, run] of runs.entries()) {
    const prepared = cells.at(run.cell);
    const { cell, predicted } = prepared;
    const spec = seeded(cell, seedOf(design, run));
    const record = migrationRecord(metadataOf(spec, { ...common, predicted }), migrateVirtually(spec, true));
    lines += recordLine(prepared, run.repetition, record);
    [downtimesNs[index], totalsNs[index]] = figuresOf(record);
  }
  return { lines, downtimesNs, totalsNs, tookMs: performance.now() - beganMs };
}
