import type { MigrationRecord } from '../../core/migration/record.ts';
import { type RunListener, type RunOptions, run } from '../../run/run.ts';
import { byPath, type Setting } from '../../scenario/settings.ts';
import type { RecordedCell } from '../sweep/prepared-cells.ts';
import type { Level, StressPlan } from './stress-plan.ts';
import { type Judgement, judge, type Verdict, worst } from './threshold.ts';

/** The results of one alternative at one level. */
export interface LevelResult {
  readonly level: number;
  readonly alternative: readonly Setting[];
  readonly records: readonly MigrationRecord[];
  readonly judgements: readonly Judgement[];
  readonly verdict: Verdict;
}

/** What a record says of its cell, and what its command follows from. */
export interface StressedCell {
  readonly recorded: Omit<RecordedCell, 'command'>;
  readonly settings: readonly Setting[];
  /** Of the run: of migrations that share a link, that of the first. */
  readonly seed: number;
}

export interface StressListener {
  /** A record, and the cell of level and alternative to which it belongs. */
  ended?(record: MigrationRecord, cell: StressedCell): void;
  judged?(result: LevelResult): void;
}

/**
 * Raises the intensity level by level. Within a level the alternatives take turns, so that a slow drift of the machine
 * does not favour one. One that has missed a threshold for certain is not run any further; one that has only likely
 * missed it goes on, so that it is known between which levels it breaks.
 */
export async function stress(
  { levels, thresholds }: StressPlan,
  options: Omit<RunOptions, 'listener' | 'ensembles'>,
  listener: StressListener = {},
): Promise<readonly LevelResult[]> {
  const results: LevelResult[] = [];
  let left = levels[0]!.experiment.cells.map((_, index) => index);
  for (const [number, level] of levels.entries()) {
    if (left.length === 0) break;
    const judged = await runLevel(level, number, left, thresholds, options, listener);
    // A level that was interrupted has too few runs to be judged by.
    if (options.interrupted?.aborted) break;
    for (const result of judged) listener.judged?.(result);
    results.push(...judged);
    left = left.filter((_, index) => judged[index]!.verdict !== 'missed');
  }
  return results;
}

async function runLevel(
  { settings, experiment }: Level,
  level: number,
  alternatives: readonly number[],
  thresholds: StressPlan['thresholds'],
  options: Omit<RunOptions, 'listener' | 'ensembles'>,
  listener: StressListener,
): Promise<LevelResult[]> {
  const cells = alternatives.map((index) => experiment.cells[index]!);
  const ended: RunListener['ended'] = (record, _, { cell, repetition, member }) => {
    const all = [...settings, ...cell.settings];
    const index = level * experiment.cells.length + alternatives[cells.indexOf(cell)]!;
    listener.ended?.(record, {
      recorded: { index, repetition, settings: byPath(all) },
      settings: all.filter(({ path }) => path !== 'fleet'),
      seed: record.seed - member,
    });
  };
  const results = await run({ ...experiment, cells }, { ...options, ensembles: false, listener: { ended } });
  return results.map(({ cell, records }) => {
    const judgements = thresholds.flatMap((threshold) => judge(threshold, records) ?? []);
    return { level, alternative: cell.settings, records, judgements, verdict: worst(judgements) };
  });
}
