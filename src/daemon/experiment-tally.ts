import { CHANGED_ON_ITS_WAY } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import type { Nanos } from '../core/units.ts';
import { areAlike, quantile } from '../study/statistics/estimate.ts';
import type { ExperimentView } from './view-schemas.ts';

interface Completed {
  runs: number;
  readonly downtimesNs: Nanos[];
  readonly totalsNs: Nanos[];
}

/** What the runs of an experiment came to, those of each cell apart. */
export class ExperimentTally {
  readonly #cells = new Map<string, Completed>();
  #changed = 0;

  add({ outcome, verified, downtimeNs, totalNs }: MigrationRecord, settings: string): void {
    const cell = this.#cells.get(settings) ?? { runs: 0, downtimesNs: [], totalsNs: [] };
    this.#cells.set(settings, cell);
    cell.runs += 1;
    if (verified.continued === 'different') this.#changed += 1;
    if (outcome !== 'completed') return;
    cell.downtimesNs.push(downtimeNs);
    cell.totalsNs.push(totalNs);
  }

  /** Why it has failed although all of it was carried out, if it has. */
  get failure(): string | undefined {
    return this.#changed === 0 ? undefined : `in ${this.#changed} of the runs ${CHANGED_ON_ITS_WAY}`;
  }

  get result(): Pick<ExperimentView, 'downtime' | 'cells'> {
    const all = [...this.#cells.values()];
    return {
      downtime: downtimeOf(
        all.flatMap(({ downtimesNs }) => downtimesNs),
        all.flatMap(({ totalsNs }) => totalsNs),
      ),
      cells: [...this.#cells].map(([settings, { runs, downtimesNs, totalsNs }]) => {
        const downtime = downtimeOf(downtimesNs, totalsNs);
        return { settings, runs, completed: downtimesNs.length, downtime };
      }),
    };
  }
}

function downtimeOf(downtimesNs: readonly Nanos[], totalsNs: readonly Nanos[]): ExperimentView['downtime'] {
  if (downtimesNs.length === 0) return null;
  const runsDiffer = !areAlike(downtimesNs, totalsNs);
  return { medianNs: quantile(downtimesNs, 0.5), p95Ns: quantile(downtimesNs, 0.95), runsDiffer };
}
