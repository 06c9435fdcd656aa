import { shareOf } from '../../core/cpu/reservation.ts';
import type { ServerRecord } from '../../core/cpu/server-record.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { CellResult } from '../../run/run.ts';
import { quantile } from '../statistics/estimate.ts';
import { sumOf } from '../statistics/sum.ts';
import { cellColumns } from './cell-columns.ts';
import { figure, milliseconds } from './figure.ts';
import { columnsWithin, leastWidth, leftOutNote, plainTable, type RankedColumn } from './plain-table.ts';

/** What reservations of CPU delivered against what they promised: a row a server and cell. `undefined`: none was made. */
export function serversTable(results: readonly CellResult[], width?: number): string | undefined {
  const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
  const rows = results.flatMap((result) => {
    const servers = result.records.flatMap((record) => record.servers);
    return [...new Set(servers.map(({ name }) => name))].map((name) => ({
      fixed: [...values(result.cell.settings), name],
      servers: servers.filter((server) => server.name === name),
    }));
  });
  if (rows.length === 0) return undefined;
  const headOf = (some: readonly Column[]) => [...headings, 'server', ...some.map(({ heading }) => heading)];
  const rowsOf = (some: readonly Column[]) =>
    rows.map(({ fixed, servers }) => [...fixed, ...some.map(({ of }) => of(servers))]);
  const shown = columnsWithin(columns, width, (some) => leastWidth(headOf(some), rowsOf(some)));
  return [
    'CPU reservations, delivered against promised',
    plainTable(headOf(shown), rowsOf(shown), headings.length + 1, width),
    ...leftOutNote(columns, shown),
    legend,
  ].join('\n');
}

const legend =
  'share error: median, over whole seconds in which the server always had work; missed: periods in which more than max(5 % of Q, 100 µs) of the requested time was not served; by machine: of these, those in which the machine itself did not run; blackout: the longest wait for a processor in any run.';

/** What it says of one server over all runs of a cell. */
interface Column extends RankedColumn {
  of(servers: readonly ServerRecord[]): string;
}

const columns: readonly Column[] = [
  {
    heading: 'Q, P ms',
    rank: 1,
    of: ([server]) => {
      const { budgetNs, periodNs } = server!;
      const ms = (ns: number) => Number((ns / NANOS_PER_MILLISECOND).toPrecision(4));
      return `${ms(budgetNs)}, ${ms(periodNs)} (${(100 * shareOf({ budgetNs, periodNs })).toFixed(0)} %)`;
    },
  },
  {
    heading: 'share error %',
    rank: 4,
    of: (servers) => {
      const errors = servers.flatMap(({ shareErrorPerSecond }) => shareErrorPerSecond ?? []);
      return errors.length === 0 ? '–' : figure(100 * quantile(errors, 0.5));
    },
  },
  {
    heading: 'missed',
    rank: 2,
    of: (servers) => `${sumOf(servers, 'missedPeriods')} of ${sumOf(servers, 'periods')}`,
  },
  { heading: 'by machine', rank: 6, of: (servers) => String(sumOf(servers, 'missedByMachine')) },
  {
    heading: 'blackout ms',
    rank: 3,
    of: (servers) => milliseconds(Math.max(...servers.map(({ longestBlackoutNs }) => longestBlackoutNs))),
  },
  {
    heading: '2(P−Q)',
    rank: 5,
    of: ([server]) => milliseconds(2 * (server!.periodNs - server!.budgetNs)),
  },
];
