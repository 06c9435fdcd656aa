import { type DowntimeParts, partsOf } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { CellResult } from '../../run/run.ts';
import { spread } from '../statistics/estimate.ts';
import { cellColumns } from './cell-columns.ts';
import { figure } from './figure.ts';
import { columnsWithin, leastWidth, leftOutNote, plainTable, type RankedColumn } from './plain-table.ts';

const names = {
  dirtyScanNs: 'dirty scan',
  memoryNs: 'memory',
  deviceNs: 'device',
  stateNs: 'state',
  verifyNs: 'verify',
  commitNs: 'commit',
  resumeNs: 'resume',
} as const satisfies Partial<Record<keyof DowntimeParts, string>>;

type Part = keyof typeof names;

interface Column extends RankedColumn {
  readonly part: Part;
}

/**
 * The downtime of each cell part by part, in ms: medians, and the middle 95 %. Parts that took no time anywhere are left out.
 * @param width columns of the terminal: the longest parts are shown; without it, all
 */
export function partsTable(results: readonly CellResult[], width?: number): string {
  const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
  const cells = results.map(({ cell, records }) => ({
    values: values(cell.settings),
    parts: records
      .filter(({ outcome }) => outcome === 'completed')
      .map((record) => partsOf(record.downtimeParts)),
  }));
  const longest = (part: Part) => Math.max(...cells.flatMap(({ parts }) => parts.map((one) => one[part])), 0);
  const taking = (Object.keys(names) as Part[]).filter((part) => longest(part) > 0);
  const byLength = taking.toSorted((one, other) => longest(other) - longest(one));
  const all = taking.map(
    (part): Column => ({ part, heading: names[part], rank: byLength.indexOf(part) + 1 }),
  );
  const headOf = (some: readonly Column[]) => [...headings, ...some.map(({ heading }) => heading)];
  const rowsOf = (some: readonly Column[]) =>
    cells.map((cell) => [
      ...cell.values,
      ...some.map(({ part }) => between(cell.parts.map((one) => one[part]))),
    ]);
  const shown = columnsWithin(all, width, (some) => leastWidth(headOf(some), rowsOf(some)));
  return [
    'Parts of the downtime in ms, medians (the middle 95 %):',
    plainTable(headOf(shown), rowsOf(shown), headings.length, width),
    ...leftOutNote(all, shown),
  ].join('\n');
}

function between(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const { median, low, high } = spread(values.map((ns) => ns / NANOS_PER_MILLISECOND));
  return values.length === 1 ? figure(median) : `${figure(median)} (${figure(low)}–${figure(high)})`;
}
