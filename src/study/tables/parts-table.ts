import { type DowntimeParts, partsOf } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { CellResult } from '../../run/run.ts';
import { spread } from '../statistics/estimate.ts';
import { cellColumns } from './cell-columns.ts';
import { figure } from './figure.ts';
import { plainTable } from './plain-table.ts';

const names = {
  dirtyScanNs: 'dirty scan',
  memoryNs: 'memory',
  deviceNs: 'device',
  stateNs: 'state',
  verifyNs: 'verify',
  commitNs: 'commit',
  resumeNs: 'resume',
} as const satisfies Partial<Record<keyof DowntimeParts, string>>;

/** The downtime of each cell part by part, in ms: medians, and the middle 95 %. Parts that took no time anywhere are left out. */
export function partsTable(results: readonly CellResult[], width?: number): string {
  const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
  const parts = results.map(({ records }) =>
    records.filter(({ outcome }) => outcome === 'completed').map((record) => partsOf(record.downtimeParts)),
  );
  const shown = (Object.keys(names) as (keyof typeof names)[]).filter((part) =>
    parts.flat().some((one) => one[part] > 0),
  );
  const rows = results.map(({ cell }, row) => [
    ...values(cell.settings),
    ...shown.map((part) => between(parts[row]!.map((one) => one[part]))),
  ]);
  return [
    'Parts of the downtime in ms, medians (the middle 95 %):',
    plainTable([...headings, ...shown.map((part) => names[part])], rows, headings.length, width),
  ].join('\n');
}

function between(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const { median, low, high } = spread(values.map((ns) => ns / NANOS_PER_MILLISECOND));
  return values.length === 1 ? figure(median) : `${figure(median)} (${figure(low)}–${figure(high)})`;
}
