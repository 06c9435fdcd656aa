import { join } from 'node:path';
import { FolderLock } from '../../platform/folder-lock.ts';
import { LineFile } from '../../platform/line-file.ts';
import { carryOut } from '../../run/carry-out.ts';
import { host, profileOf } from '../../run/environment.ts';
import { recordOf } from '../../run/migration-run.ts';
import { seeded } from '../../scenario/scenario.ts';
import { worldFactory } from '../../worlds/worlds.ts';
import { Agenda, isOwn, type Shard } from './agenda.ts';
import { type Design, type Run, seedOf } from './design.ts';
import { claimFolder, type DesignDocument, insistOnFolder, noteEnvironment, resultFiles } from './folder.ts';
import { PreparedCells, recordLine } from './prepared-cells.ts';
import { readRecorded } from './recorded-runs.ts';
import type { Batch } from './sweep-worker.ts';
import { type CellTally, figuresOf, Tally } from './tally.ts';
import { VirtualPool } from './virtual-pool.ts';

export interface SweepOptions {
  readonly folder: string;
  readonly shard: Shard;
  /** The number of runs to do, as far as is known. It grows with adaptive repetitions. */
  planned?(runs: number, alreadyRecorded: number): void;
  /** Records that have been written to the file, as whole lines. */
  recorded?(lines: Uint8Array, runs: number): void;
  /** Nothing further is begun. What is being computed is still recorded; a migration in real time is cancelled, and is missing. */
  readonly interrupted?: AbortSignal | undefined;
}

export interface SweepResult {
  readonly document: DesignDocument;
  /** Runs that had a record before, and runs that were carried out now. */
  readonly before: number;
  readonly now: number;
  /** By cell, if the design is small enough for a table. */
  readonly cells: ReadonlyMap<number, CellTally> | undefined;
  /** In so many runs of the folder the guest was changed on its way. */
  readonly changed: number;
}

/**
 * Carries out the missing runs of a design, and writes every record to the folder at once. After an interruption the
 * same call continues.
 * @throws UsageError the folder is another sweep's
 * @throws Refusal another process is at this shard
 * @throws Failure the disk is full; the same call continues once there is room
 */
export async function sweep(design: Design, options: SweepOptions): Promise<SweepResult> {
  const { folder, shard, interrupted } = options;
  insistOnFolder(folder);
  const records = `records-${shard.index}-of-${shard.of}.ndjson`;
  const name = join(folder, records);
  const lock = await FolderLock.take(folder, records);
  try {
    const document = claimFolder(folder, design);
    // With the file name that the first call was given, so that all records have the same command.
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
    if (planned > 0) {
      const { digest: scenarioDigest } = document;
      noteEnvironment(folder, shard, { ...host, scenarioDigest, machineProfile: profileOf(design) });
    }
    const ifFull = 'Free some space, and the same command continues';
    const file = new LineFile(name, { wholeBytes: wholeBytes.get(name), ifFull });
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
      if (design.world === 'virtual') await onAllCores(asBegun, agenda, record, interrupted);
      else await oneByOne(asBegun, agenda, record, interrupted);
    } finally {
      file.close();
    }
    return { document, before, now, cells: tally.cells, changed: tally.changed };
  } finally {
    lock.release();
  }
}

type Recording = (runs: readonly Run[], batch: Batch) => void;

/** Each worker has several batches queued, so that it never waits for the next one. */
async function onAllCores(
  design: Design,
  agenda: Agenda,
  record: Recording,
  interrupted: AbortSignal | undefined,
): Promise<void> {
  const pool = new VirtualPool(design);
  const underWay = new Set<Promise<void>>();
  try {
    for (;;) {
      while (underWay.size < pool.batchesMax && !interrupted?.aborted) {
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
    // Also after a failure: a pool must not be destroyed while its workers are busy.
    await Promise.allSettled(underWay);
    await pool.end();
  }
}

/** In real time cells must not disturb each other. */
async function oneByOne(
  design: Design,
  agenda: Agenda,
  record: Recording,
  interrupted: AbortSignal | undefined,
): Promise<void> {
  const { world, scenario } = design;
  const cells = new PreparedCells(design);
  const factory = await worldFactory(world);
  try {
    for (let runs = agenda.take(1); runs.length > 0; runs = agenda.take(1)) {
      const run = runs[0]!;
      const prepared = cells.at(run.cell);
      const { cell, predicted } = prepared;
      const spec = seeded(cell, seedOf(design, run));
      const [went] = await carryOut([{ spec, share: null }], factory, { world, interrupted });
      if (interrupted?.aborted) return;
      const migrated = recordOf(went!, { world, scenario: scenario.name, predicted });
      const lines = Buffer.from(recordLine(prepared, run.repetition, migrated));
      record(runs, { lines, figures: [figuresOf(migrated)], tookMs: 0 });
    }
  } finally {
    await factory.close();
  }
}
