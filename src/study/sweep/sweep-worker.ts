import { workerData } from 'piscina';
import { type UsedFile, useAgain } from '../../platform/used-files.ts';
import { migrateVirtually } from '../../run/ensemble.ts';
import { recordOf } from '../../run/run-record.ts';
import { seeded } from '../../scenario/scenario.ts';
import { type Design, type Run, seedOf } from './design.ts';
import { PreparedCells } from './prepared-cells.ts';
import { recordLine } from './record-line.ts';

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

/** Runs in virtual time, one after the other. */
export default function (runs: readonly Run[]): Batch {
  const beganMs = performance.now();
  const downtimesNs = new Float64Array(runs.length).fill(Number.NaN);
  const totalsNs = new Float64Array(runs.length).fill(Number.NaN);
  let lines = '';
  for (const [index, run] of runs.entries()) {
    const cell = cells.at(run.cell);
    const setup = seeded(cell.scenario, seedOf(design, run));
    const course = migrateVirtually(setup, true);
    const { predicted } = cell;
    const occasion = { world: 'virtual', scenario: design.scenario.name, startedAt, predicted } as const;
    lines += recordLine(cell, run.repetition, recordOf(occasion, setup, course));
    if (course.outcome !== 'completed') continue;
    downtimesNs[index] = course.downtimeNs;
    totalsNs[index] = course.totalNs;
  }
  return { lines, downtimesNs, totalsNs, tookMs: performance.now() - beganMs };
}
