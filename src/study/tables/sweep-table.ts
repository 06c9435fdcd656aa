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
import { plainTable } from './plain-table.ts';

/** Of more cells, not each is compared with the first, nor its command printed. */
const IN_DETAIL_MAX = 12;

/** What a sweep came to: a row a cell if that can be read, and how to run any of them again. */
export function sweepTable(design: Design, { document, before, now, cells, changed }: SweepResult): string {
  const { scenario, cells: count } = design;
  const resumed = before > 0 ? `, ${before} of them from an earlier run` : '';
  const summing = `${scenario.name}: ${count} ${count === 1 ? 'cell' : 'cells'}, ${before + now} runs${resumed}`;
  const begun: Design = { ...design, scenario: { ...scenario, file: document.file } };
  const repeat = (cell: number) => `  ${cellCommandOf(begun, cell)} --seed S`;
  if (!cells || cells.size === 0) {
    return [
      summing,
      `Every record has the command that repeats it. For cell 0, with the record's seed as S:`,
      repeat(0),
    ].join('\n');
  }
  const rows = [...cells].sort(([one], [other]) => one - other);
  const { headings, values } = cellColumns(rows.map(([cell]) => settingsOf(design, cell)));
  const valuesOf = (cell: number) => values(settingsOf(design, cell));
  const table = rows.map(([cell, { downtimesNs, totalsNs }]) => {
    const downtimes = completed(downtimesNs);
    const totals = completed(totalsNs);
    const alike = isOneRun({ downtimesNs, totalsNs });
    return [
      ...valuesOf(cell),
      doneOf(downtimes.length, downtimesNs.filter((ns) => ns !== undefined).length, alike),
      ...(downtimes.length === 0
        ? ['–', '–', '–']
        : [
            interval(summaryOf(downtimes, alike), NANOS_PER_MILLISECOND),
            tail(alike ? downtimes.slice(0, 1) : downtimes),
            interval(summaryOf(totals, alike), NANOS_PER_SECOND),
          ]),
    ];
  });
  const inDetail = rows.length <= IN_DETAIL_MAX;
  const comparison = comparisonTable(
    headings,
    inDetail
      ? rows.map(([cell, tally]) => ({
          values: valuesOf(cell),
          downtimesNs: tally.downtimesNs,
          alike: isOneRun(tally),
        }))
      : [],
  );
  return [
    summing,
    plainTable([...headings, 'runs', 'downtime ms', 'p95', 'total s'], table, headings.length),
    'Medians [95 % interval]; p95: the 95 % quantile, with its interval from 72 runs on. * fewer than six runs: [minimum–maximum].',
    ...(rows.some(([, tally]) => isOneRun(tally)) ? [ALIKE_NOTE] : []),
    ...(design.world === 'virtual' ? [costsNote(design.machine)] : []),
    ...(changed > 0 ? [`In ${changed} of the runs ${CHANGED_ON_ITS_WAY}.`] : []),
    ...(comparison === undefined ? [] : ['', comparison]),
    '',
    `To repeat a run, with the seed of its record as S${inDetail ? '' : ' (every record has the whole command)'}:`,
    ...rows.slice(0, inDetail ? IN_DETAIL_MAX : 1).map(([cell]) => repeat(cell)),
  ].join('\n');
}

/** Whether the seed changes nothing. */
function isOneRun({ downtimesNs, totalsNs }: CellTally): boolean {
  return areAlike(completed(downtimesNs), completed(totalsNs));
}

function completed(values: readonly number[]): readonly number[] {
  return values.filter((ns) => ns !== undefined && !Number.isNaN(ns));
}

function tail(downtimes: readonly number[]): string {
  const { value, ...rest } = quantileEstimate(downtimes, 0.95);
  if (!rest.confident) return figure(value / NANOS_PER_MILLISECOND);
  return interval({ median: value, ...rest }, NANOS_PER_MILLISECOND);
}
