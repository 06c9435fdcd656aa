import { shareOf } from '../../core/cpu/reservation.ts';
import type { ServerRecord } from '../../core/cpu/server-record.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { CellResult } from '../../run/run.ts';
import { quantile } from '../statistics/estimate.ts';
import { sumOf } from '../statistics/sum.ts';
import { cellColumns } from './cell-columns.ts';
import { figure, milliseconds } from './figure.ts';
import { plainTable } from './plain-table.ts';

/** What reservations of CPU delivered against what they promised: a row a server and cell. `undefined`: none was made. */
export function serversTable(results: readonly CellResult[]): string | undefined {
  const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
  const rows = results.flatMap((result) => {
    const servers = result.records.flatMap((record) => record.servers);
    return [...new Set(servers.map(({ name }) => name))].map((name) => [
      ...values(result.cell.settings),
      ...delivered(servers.filter((server) => server.name === name)),
    ]);
  });
  if (rows.length === 0) return undefined;
  const head = ['Q, P ms', 'share error %', 'missed', 'by machine', 'blackout ms', '2(P−Q)'];
  const table = plainTable([...headings, 'server', ...head], rows, headings.length + 1);
  return `CPU reservations, delivered against promised\n${table}\n${legend}`;
}

const legend =
  'share error: median, over whole seconds in which the server always had work; missed: periods in which more than max(5 % of Q, 100 µs) of the requested time was not served; by machine: of these, those in which the machine itself did not run; blackout: the longest wait for a processor in any run.';

/** One server over all runs of a cell. */
function delivered(servers: readonly ServerRecord[]): readonly string[] {
  const { name, budgetNs, periodNs } = servers[0]!;
  const errors = servers.flatMap(({ shareErrorPerSecond }) => shareErrorPerSecond ?? []);
  return [
    name,
    `${Number((budgetNs / NANOS_PER_MILLISECOND).toPrecision(4))}, ${Number((periodNs / NANOS_PER_MILLISECOND).toPrecision(4))} (${(100 * shareOf({ budgetNs, periodNs })).toFixed(0)} %)`,
    errors.length === 0 ? '–' : figure(100 * quantile(errors, 0.5)),
    `${sumOf(servers, 'missedPeriods')} of ${sumOf(servers, 'periods')}`,
    String(sumOf(servers, 'missedByMachine')),
    milliseconds(Math.max(...servers.map((server) => server.longestBlackoutNs))),
    milliseconds(2 * (periodNs - budgetNs)),
  ];
}
