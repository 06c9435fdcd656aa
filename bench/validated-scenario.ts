import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PredictedMachine } from '../src/core/machine-costs.ts';
import type { MigrationRecord } from '../src/core/migration/record.ts';
import { Failure } from '../src/platform/failure.ts';
import { LineFile } from '../src/platform/line-file.ts';
import { type CellResult, run } from '../src/run/run.ts';
import { type Experiment, loadExperiment, onMachine, type ScenarioCell } from '../src/scenario/scenario.ts';

/** One cell of a scenario, as it was measured and as virtual time predicts it. */
export interface ValidatedCell {
  readonly cell: ScenarioCell;
  readonly measured: readonly MigrationRecord[];
  readonly virtual: readonly MigrationRecord[];
}

const VIRTUAL_RUNS = 200;

/**
 * Runs a scenario in its world and in virtual time. What was measured is kept in `folder`, a repetition a line, so that an
 * interrupted run goes on; of another scenario or another profile it is measured anew.
 * @throws Failure the world does not work here, or no migration of a cell was completed
 */
export async function validated(
  file: string,
  machine: PredictedMachine,
  folder: string,
  tell: (what: string) => void,
): Promise<readonly ValidatedCell[]> {
  const experiment = onMachine(loadExperiment(file), machine);
  const virtual = await run({ ...experiment, runs: VIRTUAL_RUNS }, { world: 'virtual' });
  const repetitions = await measuredRepetitions(file, experiment, machine, folder, tell);
  return experiment.cells.map((cell, index) => {
    const measured = repetitions.map((records) => records[index]!);
    const ended = [measured, virtual[index]!.records].map((records) =>
      records.some(({ outcome }) => outcome === 'completed'),
    );
    if (ended.includes(false)) throw new Failure(`no migration of cell ${index + 1} was completed`);
    return { cell, measured, virtual: virtual[index]!.records };
  });
}

/** Each repetition: a record a cell. */
async function measuredRepetitions(
  file: string,
  experiment: Experiment,
  machine: PredictedMachine,
  folder: string,
  tell: (what: string) => void,
): Promise<readonly (readonly MigrationRecord[])[]> {
  const digest = createHash('sha256').update(readFileSync(file)).update(machine.sha256).digest('hex');
  mkdirSync(folder, { recursive: true });
  const kept = join(folder, `${experiment.name}-${digest.slice(0, 12)}.ndjson`);
  const text = existsSync(kept) ? readFileSync(kept, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const repetitions: (readonly MigrationRecord[])[] = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const lines = new LineFile(kept, { wholeBytes: Buffer.byteLength(whole) });
  try {
    while (repetitions.length < experiment.runs) {
      const done = repetitions.length;
      tell(`${experiment.name}: repetition ${done + 1} of ${experiment.runs}`);
      const seed = experiment.seed + done * experiment.cells.length;
      const results = await run({ ...experiment, runs: 1, seed }, { world: machine.world, ensembles: false });
      const records = results.map(({ records }: CellResult) => records[0]!);
      lines.append(`${JSON.stringify(records)}\n`);
      repetitions.push(records);
    }
  } finally {
    lines.close();
  }
  return repetitions;
}
