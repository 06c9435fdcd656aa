import { type Command, Option } from 'commander';
import { usageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import type { CellResult } from '../run/run.ts';
import { byPath } from '../scenario/settings.ts';
import { quantile } from '../study/statistics/estimate.ts';
import {
  formatEstimate,
  isMissed,
  type Judgement,
  judge,
  parseThreshold,
  type Threshold,
  tooFew,
} from '../study/stress/threshold.ts';
import { cellColumns } from '../study/tables/cell-columns.ts';
import { plainTable } from '../study/tables/plain-table.ts';

export interface RequirementOptions {
  readonly require?: readonly Threshold[];
  readonly summary?: string;
}

export function addRequirementOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--require <threshold>',
        "what every row must keep, such as 'p95(downtime)<200ms' or 'failures<1%'; exit code 3 if one does not; may be repeated",
      ).argParser((text, before: readonly Threshold[] = []) => [...before, thresholdOf(text)]),
    )
    .option('--summary <file>', 'write what came of each row, and of what it must keep, as one JSON object');
}

/** `p95(downtime)<200ms` says what `downtime p95 < 200ms` says. @throws UsageError it is no threshold */
function thresholdOf(text: string): Threshold {
  const threshold = parseThreshold(text.replace(/^\s*(\w+(?:\.\d+)?)\((\w+)\)/, '$2 $1 '));
  if ('expected' in threshold) throw usageError('--require', threshold.expected, text);
  return threshold;
}

/** A row, and what came of each threshold. */
interface Judged {
  readonly result: CellResult;
  readonly judgements: readonly Judgement[];
}

/** What is required of a run, held against its results. */
export class Requirements {
  readonly #thresholds: readonly Threshold[];
  readonly #rows: readonly Judged[];

  constructor(thresholds: readonly Threshold[], results: readonly CellResult[]) {
    this.#thresholds = thresholds;
    this.#rows = results.map((result) => ({
      result,
      judgements: thresholds.flatMap((threshold) => judge(threshold, result.records) ?? []),
    }));
  }

  /** Whether each row keeps each threshold, certainly or likely; what could not be judged was not shown to be kept. */
  get areKept(): boolean {
    return this.#rows.every(
      ({ judgements }) =>
        judgements.length === this.#thresholds.length && !judgements.some(({ verdict }) => isMissed(verdict)),
    );
  }

  /** undefined: nothing is required. */
  table(width?: number): string | undefined {
    if (this.#thresholds.length === 0) return undefined;
    const { headings, values } = cellColumns(this.#rows.map(({ result }) => result.cell.settings));
    const lines = this.#rows.flatMap(({ result, judgements }) =>
      this.#thresholds.map((threshold) => {
        const judged = judgements.find((one) => one.threshold === threshold.text);
        const figure = judged ? formatEstimate(threshold, judged.estimate) : '–';
        return [...values(result.cell.settings), threshold.text, figure, judged?.verdict ?? 'not measured'];
      }),
    );
    const runs = Math.min(...this.#rows.map(({ result }) => result.records.length));
    const doubts = this.#thresholds.flatMap((threshold) => tooFew(threshold, runs) ?? []);
    return [
      plainTable([...headings, 'required', 'found', 'verdict'], lines, headings.length, width),
      ...doubts,
    ].join('\n');
  }

  /**
   * @param more what else is to be said of a row
   * @throws Failure the file cannot be written
   */
  writeSummary(file: string, scenario: string, more: (result: CellResult) => object = () => ({})): void {
    const cells = this.#rows.map(({ result, judgements }) => {
      const { cell, records } = result;
      const done = records.filter(({ outcome }) => outcome === 'completed');
      const spread = (times: readonly number[]) =>
        times.length === 0 ? null : { median: quantile(times, 0.5), p95: quantile(times, 0.95) };
      return {
        settings: byPath(cell.settings),
        runs: records.length,
        completed: done.length,
        downtimeNs: spread(done.map(({ downtimeNs }) => downtimeNs)),
        totalNs: spread(done.map(({ totalNs }) => totalNs)),
        required: judgements.map(({ threshold, verdict, limit, estimate }) => ({
          ...{ threshold, verdict, limit },
          // What is without bound is none in JSON.
          value: finite(estimate.value),
          interval: [finite(estimate.low), finite(estimate.high)],
        })),
        ...more(result),
      };
    });
    writeText(file, `${JSON.stringify({ scenario, areKept: this.areKept, cells })}\n`);
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
