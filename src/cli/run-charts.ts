import type { MigrationRecord } from '../core/migration/record.ts';
import { Failure } from '../platform/failure.ts';
import { writeText } from '../platform/text-file.ts';
import type { MigrationRun } from '../run/migration-run.ts';
import type { Experiment } from '../scenario/scenario.ts';
import { perfettoTrace } from '../study/tables/perfetto-trace.ts';
import { type StopChart, stopChart } from '../study/tables/stop-chart.ts';

export interface ChartOptions {
  readonly json?: string;
  readonly gantt?: string;
  readonly perfetto?: string;
}

/** Pictures of the last of a known number of migrations: a migration's world is there only until it has ended. */
export class LastCharts {
  readonly #name: string;
  readonly #options: ChartOptions;
  #left: number;
  #chart: StopChart | undefined;

  constructor({ name, cells, runs }: Experiment, options: ChartOptions) {
    this.#name = name;
    this.#options = options;
    this.#left = cells.length * runs;
  }

  /** To be called for every migration while its world is there. @throws Failure the trace cannot be written */
  ended({ seed }: MigrationRecord, run: MigrationRun): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    const { json, gantt, perfetto } = this.#options;
    if (json !== '-' || gantt !== undefined) this.#chart = stopChart(run, `${this.#name}, seed ${seed}`);
    if (perfetto !== undefined) writeText(perfetto, JSON.stringify(perfettoTrace(run)));
  }

  /** undefined: there is nothing to draw. */
  get terminal(): string | undefined {
    return this.#chart?.terminal;
  }

  /** @throws Failure there is nothing to draw, or it cannot be written */
  writeGantt(): void {
    const { gantt } = this.#options;
    if (gantt === undefined) return;
    if (!this.#chart)
      throw new Failure(
        '--gantt: no chart, because the guest of the last run was not paused or nothing competed for a processor',
      );
    writeText(gantt, this.#chart.svg);
  }
}
