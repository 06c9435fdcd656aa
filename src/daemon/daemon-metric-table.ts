import { type Metric, metricTable } from './metric-table.ts';
import { watchMetricTable } from './watch-metric-table.ts';

type Name = keyof typeof metricTable | keyof typeof watchMetricTable;

/**
 * What a daemon tells Prometheus: of its own migrations, and of those that it watches. What means the same of both is one
 * metric, with the labels of both; a series has those that say something of it.
 */
export const daemonMetricTable = tableOfBoth();

function tableOfBoth(): Readonly<Record<Name, Metric>> {
  const own: Readonly<Partial<Record<string, Metric>>> = metricTable;
  const watched = Object.entries<Metric>(watchMetricTable).map(([key, metric]) => {
    const labels = new Set([...(own[key]?.labels ?? []), ...metric.labels]);
    return [key, { ...(own[key] ?? metric), labels: [...labels] }];
  });
  return { ...metricTable, ...Object.fromEntries(watched) };
}
