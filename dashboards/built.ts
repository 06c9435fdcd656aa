import { guarantees } from './guarantees.ts';
import { metricsPage } from './metrics-page.ts';
import { migrations } from './migrations.ts';
import { reservations } from './reservations.ts';
import { watchedMachines } from './watched.ts';

/** Every file that is written by this code, by its path from the root of the project. */
export function builtFiles(): ReadonlyMap<string, string> {
  const json = (dashboard: object) => `${JSON.stringify(dashboard, null, 2)}\n`;
  return new Map([
    ['dashboards/migrations.json', json(migrations)],
    ['dashboards/reservations.json', json(reservations)],
    ['dashboards/guarantees.json', json(guarantees)],
    ['dashboards/watched.json', json(watchedMachines)],
    ['docs/metrics.md', metricsPage()],
  ]);
}
