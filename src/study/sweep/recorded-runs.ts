import { inputLimits } from '../../core/input-limits.ts';
import { PageSet } from '../../core/migration/pages.ts';
import { parseJson } from '../../platform/json.ts';
import { linesOf } from '../../platform/lines.ts';
import { type Problem, shown, UsageError } from '../../platform/problem.ts';
import { runNumber } from './agenda.ts';
import { type Design, type Run, runsMax, seedOf } from './design.ts';
import type { SweepRecord } from './prepared-cells.ts';

const SHOWN_MAX = 20;

/**
 * Reads all records of a folder, including those of other shards, one line at a time. A line that an interruption left
 * incomplete does not count.
 * @throws UsageError a line is no record, or of another version or another design, or a run is there twice
 */
export function readRecorded(
  design: Design,
  files: readonly string[],
  visit: (run: Run, record: SweepRecord) => void,
) {
  /** The numbers of the runs of which there is a record. A set of runs is kept as one of pages is: a bit each. */
  const done = new PageSet(design.cells * runsMax(design));
  /** Of each file, how many bytes are whole lines. */
  const wholeBytes = new Map<string, number>();
  const problems: Problem[] = [];
  for (const file of files) {
    let number = 0;
    let whole = 0;
    for (const { text, endsAt } of linesOf(file, inputLimits.recordLineBytes)) {
      if (endsAt === undefined) break;
      number += 1;
      whole = endsAt;
      const record = parsed(text);
      const problem = problemWith(design, record);
      if (problem) {
        problems.push({ path: `${file}:${number}`, ...problem });
        if (problems.length === SHOWN_MAX) throw new UsageError(problems);
        continue;
      }
      const run: Run = { cell: record!.cell.index, repetition: record!.cell.repetition };
      if (done.has(runNumber(design, run))) {
        const found = `cell ${run.cell}, repetition ${run.repetition} again`;
        problems.push({ path: `${file}:${number}`, expected: 'every run once', found });
      }
      done.add(runNumber(design, run));
      visit(run, record!);
    }
    wholeBytes.set(file, whole);
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { done, wholeBytes };
}

/** `undefined`: not JSON, or more of it than a record has. */
function parsed(text: string): SweepRecord | undefined {
  try {
    return parseJson(text, 'a record') as SweepRecord;
  } catch {
    return undefined;
  }
}

function problemWith(design: Design, record: SweepRecord | undefined): Omit<Problem, 'path'> | undefined {
  const expected = 'a record of this sweep';
  if (typeof record !== 'object' || record === null) return { expected, found: 'no record' };
  if (record.schema !== 'switchover.record/1') {
    return { expected: 'a record of schema switchover.record/1', found: shown(record.schema) };
  }
  const { index, repetition } = record.cell ?? {};
  const isOne = (value: unknown, least: number, most: number) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!isOne(index, 0, design.cells - 1) || !isOne(repetition, 1, runsMax(design))) {
    return { expected, found: `cell ${shown(index)}, repetition ${shown(repetition)}` };
  }
  const seed = seedOf(design, { cell: index!, repetition: repetition! });
  if (record.seed !== seed || record.world !== design.world) {
    return {
      expected: `${expected} (${design.world}, seed ${seed})`,
      found: `${record.world}, seed ${record.seed}`,
    };
  }
  return undefined;
}
