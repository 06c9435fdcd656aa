import { join } from 'node:path';
import { carryOut } from '../../run/carry-out.ts';
import { recordOf } from '../../run/migration-run.ts';
import { seeded } from '../../scenario/scenario.ts';
import { worldFactory } from '../../worlds/worlds.ts';
import { Agenda, isOwn, type Shard } from './agenda.ts';
import { type Design, type Run, seedOf } from './design.ts';
import { claimFolder, type DesignDocument, makeFolder, resultFiles } from './folder.ts';
import { takeLock } from './lock.ts';
import { PreparedCells, recordLine } from './prepared-cells.ts';
import { readRecorded } from './recorded-runs.ts';
import { ResultFile } from './result-file.ts';
import type { Batch } from './sweep-worker.ts';
import { type CellTally, figuresOf, Tally } from './tally.ts';
import { VirtualPool } from './virtual-pool.ts';

export interface SweepOptions {
  readonly folder: string;
  readonly shard: Shard;
  /** So many runs are to be done, as far as is known; the number grows with adaptive repetitions. */
  planned?(runs: number, alreadyRecorded: number): void;
  /** Records, whole lines, that are in the file. */
  recorded?(lines: string, runs: number): void;
}

export interface SweepResult {
  readonly document: DesignDocument;
  /** Runs of which there was a record before, and those that were made now. */
  readonly before: number;
  readonly now: number;
  /** Of a design small enough for a table, by cell. */
  readonly cells: ReadonlyMap<number, CellTally> | undefined;
}

/**
 * Carries out what is missing of a design, and leaves every record in the folder as soon as it is there. Whenever it
 * is interrupted, the same call goes on where it ended.
 * @throws UsageError the folder is another sweep's
 * @throws Failure the disk is full; it goes on when there is room
 */
export async function sweep(design: Design, options: SweepOptions): Promise<SweepResult> {
  const { folder, shard } = options;
  makeFolder(folder);
  const name = join(folder, `records-${shard.index}-of-${shard.of}.ndjson`);
  const unlock = takeLock(`${name}.lock`);
  try {
    const document = claimFolder(folder, design);
    // As whoever began it named the file: so that all records have the same words.
    const asBegun: Design = { ...design, scenario: { ...design.scenario, file: document.file } };
    const tally = new Tally(design);
    let before = 0;
    const { done, wholeBytes } = readRecorded(design, resultFiles(folder), (run, record) => {
      if (isOwn(design, shard, run)) before += 1;
      tally.add(run, figuresOf(record));
    });
    const agenda = new Agenda(design, shard, done, (run) => tally.downtimeNs(run));
    let planned = agenda.known;
    options.planned?.(planned, before);
    const file = new ResultFile(name, wholeBytes.get(name) ?? 0);
    let now = 0;
    const record = (runs: readonly Run[], { lines, figures }: Batch) => {
      file.append(lines);
      now += runs.length;
      for (const [index, run] of runs.entries()) {
        tally.add(run, figures[index]!);
        planned += agenda.recorded(run, figures[index]!.downtimeNs);
      }
      options.planned?.(planned, before);
      options.recorded?.(lines, runs.length);
    };
    try {
      if (design.world === 'virtual') await onAllCores(asBegun, agenda, record);
      else await oneByOne(asBegun, agenda, record);
    } finally {
      file.close();
    }
    return { document, before, now, cells: tally.cells };
  } finally {
    unlock();
  }
}

type Recording = (runs: readonly Run[], batch: Batch) => void;

/** Several batches a worker are under way, so that none waits for the next one. */
async function onAllCores(design: Design, agenda: Agenda, record: Recording): Promise<void> {
  const pool = new VirtualPool(design);
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      while (underWay.size < pool.batchesMax) {
        const runs = agenda.take(pool.batchRuns);
        if (runs.length === 0) break;
        const batch = pool.run(runs).then((result) => {
          underWay.delete(batch);
          record(runs, result);
        });
        underWay.add(batch);
      }
      if (underWay.size === 0) return;
      await Promise.race(underWay);
    }
  } finally {
    // After a failure too what is under way comes to its end: a pool must not be taken from workers that are busy.
    await Promise.allSettled(underWay);
    await pool.end();
  }
}

/** In a real world cells must not disturb each other. */
async function oneByOne(design: Design, agenda: Agenda, record: Recording): Promise<void> {
  const { world, scenario } = design;
  const cells = new PreparedCells(design);
  const factory = await worldFactory(world);
  try {
    for (let runs = agenda.take(1); runs.length > 0; runs = agenda.take(1)) {
      const run = runs[0]!;
      const prepared = cells.at(run.cell);
      const { cell, predicted } = prepared;
      const spec = seeded(cell, seedOf(design, run));
      const [went] = await carryOut([{ spec, share: null }], factory, { world });
      const migrated = recordOf(went!, { world, scenario: scenario.name, predicted });
      const lines = recordLine(prepared, run.repetition, migrated);
      record(runs, { lines, figures: [figuresOf(migrated)], tookMs: 0 });
    }
  } finally {
    await factory.close();
  }
}
