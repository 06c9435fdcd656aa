import { type Command, Option } from 'commander';
import { usageError } from '../platform/problem.ts';
import type { CellResult, RunOptions } from '../run/run.ts';
import { insisting } from '../scenario/checked.ts';
import {
  FEWEST_RUNS,
  isLookedAt,
  type Precision,
  parsePrecision,
  reached,
} from '../study/stress/precision.ts';
import { formatEstimate } from '../study/stress/threshold.ts';
import { cellColumns } from '../study/tables/cell-columns.ts';
import { plainTable } from '../study/tables/plain-table.ts';
import { type ScenarioOptions, whole } from './scenario-options.ts';

export interface UntilOptions {
  readonly until?: Precision;
  readonly warmUp?: string;
  readonly mostRuns?: string;
}

export function addUntilOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--until <precision>',
        "repeat each row until the 95 % interval of its median is so narrow, such as 'downtime±5%' or 'downtime+-5%'; exit code 3 if one is not",
      ).argParser(precisionOf),
    )
    .option(
      '--warm-up <n>',
      'with --until, so many runs of each row go first and do not count (default: 1, in virtual time 0)',
    )
    .option('--most-runs <n>', 'with --until, the most runs of a row (default: 30, in virtual time 1000)');
}

/** @throws UsageError it is no precision */
function precisionOf(text: string): Precision {
  const precision = parsePrecision(text);
  if ('expected' in precision) throw usageError('--until', precision.expected, text);
  return precision;
}

/** Rows that are repeated until they are known precisely enough. */
export class Until {
  readonly mostRuns: number;
  readonly #precision: Precision;
  readonly #leastRuns: number;
  readonly #warmUps: number;

  constructor(precision: Precision, counts: { leastRuns: number; mostRuns: number; warmUps: number }) {
    this.#precision = precision;
    this.mostRuns = counts.mostRuns;
    this.#leastRuns = counts.leastRuns;
    this.#warmUps = counts.warmUps;
  }

  /** What a run is told of it. */
  get asked(): Required<Pick<RunOptions, 'warmUps' | 'isEnough'>> {
    return {
      warmUps: this.#warmUps,
      isEnough: (records) =>
        isLookedAt(records.length, this.#leastRuns) && reached(this.#precision, records).isReached,
    };
  }

  isReached(results: readonly CellResult[]): boolean {
    return results.every(({ records }) => reached(this.#precision, records).isReached);
  }

  /** How many runs it took, and what they came to. */
  table(results: readonly CellResult[], width?: number): string {
    const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
    const lines = results.map(({ cell, records }) => {
      const { estimate, halfWidth, isReached } = reached(this.#precision, records);
      return [
        ...values(cell.settings),
        String(records.length),
        estimate ? formatEstimate(this.#precision, estimate) : '–',
        Number.isFinite(halfWidth) ? `±${(100 * halfWidth).toPrecision(2)} %` : '–',
        isReached ? 'reached' : 'not reached',
      ];
    });
    const head = ['runs', 'found [95 % interval]', 'half-width', this.#precision.text];
    return plainTable([...headings, ...head], lines, headings.length, width);
  }

  /** The same of one row, for programs. */
  summaryOf({ records }: CellResult) {
    const { halfWidth, isReached } = reached(this.#precision, records);
    return {
      precision: this.#precision.text,
      halfWidth: Number.isFinite(halfWidth) ? halfWidth : null,
      isReached,
    };
  }
}

/** undefined: nothing of it is asked. @throws UsageError what is wrong with the counts */
export function untilOf({
  until,
  warmUp,
  mostRuns,
  runs,
  world,
}: UntilOptions & ScenarioOptions): Until | undefined {
  if (until === undefined) {
    return insisting((insist) => {
      const together = "to be used together with --until, such as --until 'downtime±5%'";
      insist(warmUp === undefined, '--warm-up', together, warmUp);
      insist(mostRuns === undefined, '--most-runs', together, mostRuns);
      return undefined;
    });
  }
  const isVirtual = world === 'virtual';
  const counts = {
    leastRuns: Math.max(FEWEST_RUNS, runs === undefined ? 0 : whole('--runs', runs)),
    mostRuns: mostRuns === undefined ? (isVirtual ? 1_000 : 30) : whole('--most-runs', mostRuns),
    warmUps: warmUp === undefined ? (isVirtual ? 0 : 1) : whole('--warm-up', warmUp),
  };
  if (counts.mostRuns >= counts.leastRuns) return new Until(until, counts);
  throw usageError('--most-runs', `at least ${counts.leastRuns}, the least runs`, counts.mostRuns);
}
