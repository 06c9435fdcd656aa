import { CHANGED_ON_ITS_WAY } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../core/units.ts';
import { areAlike, quantileEstimate, summaryOf } from '../statistics/estimate.ts';
import { cellCommandOf } from '../sweep/command.ts';
import { type Design, settingsOf } from '../sweep/design.ts';
import type { SweepResult } from '../sweep/sweep.ts';
import type { CellTally } from '../sweep/tally.ts';
import { cellColumns } from './cell-columns.ts';
import { comparisonTable } from './comparison-table.ts';
import { costsNote } from './costs-note.ts';
import { ALIKE_NOTE, doneOf, figure, interval } from './figure.ts';
import { foldedCommand } from './folded.ts';
import { columnsWithin, leastWidth, leftOutNote, plainTable, type RankedColumn } from './plain-table.ts';

/** Of more cells, not each is compared with the first, nor its command printed. */
const IN_DETAIL_MAX = 12;

interface Row {
  readonly cell: number;
  readonly runs: number;
  readonly alike: boolean;
  readonly downtimesNs: readonly number[];
  readonly totalsNs: readonly number[];
}

interface Column extends RankedColumn {
  of(row: Row): string;
}

const columns: readonly Column[] = [
  { heading: 'runs', rank: 4, of: ({ downtimesNs, runs, alike }) => doneOf(downtimesNs.length, runs, alike) },
  {
    heading: 'downtime ms',
    rank: 1,
    of: ({ downtimesNs, alike }) => median(downtimesNs, alike, NANOS_PER_MILLISECOND),
  },
  {
    heading: 'p95',
    rank: 3,
    of: ({ downtimesNs, alike }) => tail(alike ? downtimesNs.slice(0, 1) : downtimesNs),
  },
  { heading: 'total s', rank: 2, of: ({ totalsNs, alike }) => median(totalsNs, alike, NANOS_PER_SECOND) },
];

/**
 * What a sweep came to: a row a cell if that can be read, and how to run any of them again.
 * @param width columns of the terminal: what matters least is left out until the table fits; without it, everything is there
 */
export function sweepTable(
  design: Design,
  { document, before, now, cells, changed }: SweepResult,
  width?: number,
): string {
  const { scenario, cells: count } = design;
  const resumed = before > 0 ? `, ${before} of them from an earlier run` : '';
  const summing = `${scenario.name}: ${count} ${count === 1 ? 'cell' : 'cells'}, ${before + now} runs${resumed}`;
  const begun: Design = { ...design, scenario: { ...scenario, file: document.file } };
  const repeat = (cell: number) => foldedCommand(`  ${cellCommandOf(begun, cell)} --seed S`, width);
  if (!cells || cells.size === 0) {
    return [
      summing,
      `Every record has the command that repeats it. For cell 0, with the record's seed as S:`,
      repeat(0),
    ].join('\n');
  }
  const rows = [...cells].sort(([one], [other]) => one - other).map(([cell, tally]) => rowOf(cell, tally));
  const { headings, values } = cellColumns(rows.map(({ cell }) => settingsOf(design, cell)));
  const valuesOf = (cell: number) => values(settingsOf(design, cell));
  const headOf = (some: readonly Column[]) => [...headings, ...some.map(({ heading }) => heading)];
  const linesOf = (some: readonly Column[]) =>
    rows.map((row) => [...valuesOf(row.cell), ...some.map(({ of }) => of(row))]);
  const shown = columnsWithin(columns, width, (some) => leastWidth(headOf(some), linesOf(some)));
  const inDetail = rows.length <= IN_DETAIL_MAX;
  const compared = rows.map(({ cell, alike }) => ({
    values: valuesOf(cell),
    downtimesNs: cells.get(cell)!.downtimesNs,
    alike,
  }));
  const comparison = comparisonTable(headings, inDetail ? compared : [], width);
  return [
    summing,
    plainTable(headOf(shown), linesOf(shown), headings.length, width),
    ...leftOutNote(columns, shown),
    'Medians [95 % interval]; p95: the 95 % quantile, with its interval from 72 runs on. * fewer than six runs: [minimum–maximum].',
    ...(rows.some(({ alike }) => alike) ? [ALIKE_NOTE] : []),
    ...(design.world === 'virtual' ? [costsNote(design.machine)] : []),
    ...(changed > 0 ? [`In ${changed} of the runs ${CHANGED_ON_ITS_WAY}.`] : []),
    ...(comparison === undefined ? [] : ['', comparison]),
    '',
    `To repeat a run, with the seed of its record as S${inDetail ? '' : ' (every record has the whole command)'}:`,
    ...rows.slice(0, inDetail ? IN_DETAIL_MAX : 1).map(({ cell }) => repeat(cell)),
  ].join('\n');
}

function rowOf(cell: number, tally: CellTally): Row {
  const downtimesNs = completed(tally.downtimesNs);
  const totalsNs = completed(tally.totalsNs);
  // A cell whose runs were interrupted has gaps.
  const runs = tally.downtimesNs.filter((ns) => ns !== undefined).length;
  return { cell, runs, alike: areAlike(downtimesNs, totalsNs), downtimesNs, totalsNs };
}

function completed(values: readonly number[]): readonly number[] {
  return values.filter((ns) => ns !== undefined && !Number.isNaN(ns));
}

function median(values: readonly number[], alike: boolean, unit: number): string {
  return interval(values.length === 0 ? undefined : summaryOf(values, alike), unit);
}

function tail(downtimes: readonly number[]): string {
  if (downtimes.length === 0) return '–';
  const { value, ...rest } = quantileEstimate(downtimes, 0.95);
  if (!rest.confident) return figure(value / NANOS_PER_MILLISECOND);
  return interval({ median: value, ...rest }, NANOS_PER_MILLISECOND);
}
