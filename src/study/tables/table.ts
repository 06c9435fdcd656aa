import { formatEncryption } from '../../core/link/encryption.ts';
import { besideReserved, linkShortfalls } from '../../core/migration/achieved-rate.ts';
import type { LinkRecord } from '../../core/migration/migration-result.ts';
import type { MigrationRecord } from '../../core/migration/record.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { Ensemble } from '../../run/ensemble.ts';
import type { CellResult } from '../../run/run.ts';
import { areAlike, quantile, spread, summaryOf, tooFew } from '../statistics/estimate.ts';
import { sumOf } from '../statistics/sum.ts';
import { cellColumns } from './cell-columns.ts';
import { comparisonTable } from './comparison-table.ts';
import { costsNote } from './costs-note.ts';
import { ALIKE_NOTE, doneOf, figure, interval, milliseconds } from './figure.ts';
import { modelNotes, type PredictedRow } from './model-notes.ts';
import { notCompleted, oneOfAKind } from './notes.ts';
import { partsTable } from './parts-table.ts';
import { columnsWithin, leastWidth, leftOutNote, plainTable, type RankedColumn } from './plain-table.ts';

/**
 * The table of an experiment: a row a cell, medians with their intervals, prediction beside measurement.
 * @param width columns of the terminal: what matters least is left out until it fits; without it, everything is there
 */
export function experimentTable(results: readonly CellResult[], world: string, width?: number): string {
  const { headings, values } = cellColumns(results.map(({ cell }) => cell.settings));
  const hasEnsembles = results.some(({ ensemble }) => ensemble);
  const all = columnsOf(results, hasEnsembles);
  const rowsOf = (columns: readonly Column[]) =>
    results.map((result) => {
      const done = completedOf(result.records);
      return [...values(result.cell.settings), ...columns.map(({ of }) => of(done, result))];
    });
  const headOf = (columns: readonly Column[]) => [...headings, ...columns.map(({ heading }) => heading)];
  const columns = columnsWithin(all, width, (some) => leastWidth(headOf(some), rowsOf(some)));
  const predictedRows = results.map(({ cell, predicted }) => ({
    values: values(cell.settings),
    predicted,
  }));
  const comparison = comparisonTable(
    headings,
    results.map((result) => ({
      values: values(result.cell.settings),
      downtimesNs: result.records.map(completedDowntimeNs),
      alike: isOneRun(completedOf(result.records)),
    })),
    width,
  );
  return [
    plainTable(headOf(columns), rowsOf(columns), headings.length, width),
    ...leftOutNote(all, columns),
    ...footnotes(results, predictedRows, hasEnsembles, world),
    ...(comparison === undefined ? [] : ['', comparison]),
    ...(results.some(({ cell }) => cell.machine) ? ['', partsTable(results, width)] : []),
  ].join('\n');
}

/** A column: what it says of a cell, given the records of its completed migrations. */
interface Column extends RankedColumn {
  of(done: readonly MigrationRecord[], result: CellResult): string;
}

/** The columns for which some cell has something to show. */
function columnsOf(results: readonly CellResult[], hasEnsembles: boolean): readonly Column[] {
  const column = (rank: number, heading: string, of: Column['of'], isShown = true) =>
    isShown ? [{ rank, heading, of }] : [];
  const measured = (value: (record: MigrationRecord) => Nanos, unit: number) => {
    return (done: readonly MigrationRecord[]) =>
      interval(done.length === 0 ? undefined : summaryOf(done.map(value), isOneRun(done)), unit);
  };
  const virtual = (times: keyof Ensemble, unit: number): Column['of'] => {
    return (_, { ensemble }) => (ensemble ? band(ensemble[times], unit) : '–');
  };
  const records = results.flatMap((result) => result.records);
  const shared = results.some(({ cell }) => cell.share !== null);
  const tails = results.some((result) => result.records.length >= FEWEST_FOR_A_TAIL);
  const short = records.some((record) => linkShortfalls(record).length > 0);
  const late = records.some(({ outage }) => outage && outage.lateHeartbeats > 0);
  const downtimeNs = (record: MigrationRecord) => record.downtimeNs;
  const totalNs = (record: MigrationRecord) => record.totalNs;
  const memoryNs = (record: MigrationRecord) => record.downtimeParts.memoryNs;
  return [
    column(3, 'runs', (done, result) => doneOf(done.length, result.records.length, isOneRun(done))),
    column(6, 'waited s', (_, result) => waited(result.records), shared),
    column(13, 'b used %', used, shared),
    column(5, 'b, b_d carried %', (_, result) => carried(result.records), short),
    column(1, 'downtime ms', measured(downtimeNs, NANOS_PER_MILLISECOND)),
    column(8, 'p95', tail, tails),
    column(9, 'memory part', measured(memoryNs, NANOS_PER_MILLISECOND), hasEnsembles),
    column(7, 'virtual', virtual('downtimesNs', NANOS_PER_MILLISECOND), hasEnsembles),
    column(7, 'model', (_, { predicted }) => milliseconds(predicted?.downtimeNs), !hasEnsembles),
    column(2, 'total s', measured(totalNs, NANOS_PER_SECOND)),
    column(10, 'virtual', virtual('totalsNs', NANOS_PER_SECOND), hasEnsembles),
    column(11, 'gap ms', (done) => milliseconds(done.length === 0 ? undefined : longestGapNs(done))),
    column(12, 'lost/rep', heartbeats),
    column(6, 'late %', lateShare, late),
    column(4, 'verified', verdict),
  ].flat();
}

function completedOf(records: readonly MigrationRecord[]): readonly MigrationRecord[] {
  return records.filter(({ outcome }) => outcome === 'completed');
}

function completedDowntimeNs({ outcome, downtimeNs }: MigrationRecord): Nanos {
  return outcome === 'completed' ? downtimeNs : Number.NaN;
}

/** For its reservation of the link, also if in vain. */
function waited(records: readonly MigrationRecord[]): string {
  const times = records.flatMap(({ admission }) => admission?.waitedNs ?? []);
  return times.length === 0 ? '–' : figure(quantile(times, 0.5) / NANOS_PER_SECOND);
}

/** Of what its reservation granted while there was something to send. */
function used(records: readonly MigrationRecord[]): string {
  const shares = records.flatMap(({ link }) => link.utilisation ?? []);
  return shares.length === 0 ? '–' : (100 * quantile(shares, 0.5)).toFixed(1);
}

/** What arrived of what was reserved, in the live rounds and in the stop. */
function carried(records: readonly MigrationRecord[]): string {
  const shares = (phase: 'live' | 'stop') => {
    const all = records
      .flatMap(({ plan, achieved }) => besideReserved(plan, achieved))
      .filter((one) => one.phase === phase)
      .flatMap(({ reservedBytesPerSecond: reserved, achievedBytesPerSecond: rate }) =>
        rate && reserved ? [(100 * rate) / reserved] : [],
      );
    return all.length === 0 ? '–' : quantile(all, 0.5).toFixed(0);
  };
  return `${shares('live')}, ${shares('stop')}`;
}

/** Below so many runs a 95 % quantile is only the largest value. */
const FEWEST_FOR_A_TAIL = 10;

function tail(done: readonly MigrationRecord[]): string {
  if (done.length < FEWEST_FOR_A_TAIL) return '–';
  const downtimes = done.map((record) => record.downtimeNs / NANOS_PER_MILLISECOND);
  return figure(quantile(downtimes, 0.95));
}

/** How far the p95 column can be trusted. */
function tailDoubt(results: readonly CellResult[]): readonly string[] {
  const tails = results.map(({ records }) => records.length).filter((runs) => runs >= FEWEST_FOR_A_TAIL);
  const doubt = tails.length === 0 ? undefined : tooFew(Math.min(...tails), 0.95);
  return doubt === undefined ? [] : [`p95: ${doubt}.`];
}

/** Of all heartbeats of all runs, how many the guest sent more than a period late. */
function lateShare(records: readonly MigrationRecord[]): string {
  const outages = records.flatMap(({ outage }) => outage ?? []);
  const late = sumOf(outages, 'lateHeartbeats');
  const share = (100 * late) / sumOf(outages, 'heartbeats');
  return Number.isNaN(share) ? '–' : share.toFixed(share >= 10 ? 0 : 1);
}

/** The worst that a client saw in any run. */
function longestGapNs(records: readonly MigrationRecord[]): Nanos {
  return Math.max(...records.map(({ outage }) => outage?.longestGapNs ?? Number.NaN));
}

/** Whether the seed changes nothing. */
function isOneRun(records: readonly MigrationRecord[]): boolean {
  const totalsNs = records.map(({ totalNs }) => totalNs);
  return areAlike(
    totalsNs,
    records.map(({ downtimeNs }) => downtimeNs),
  );
}

function band(values: readonly number[], unit: number): string {
  const { median, low, high } = spread(values);
  if (areAlike(values)) return `${figure(median / unit)} =`;
  return `${figure(median / unit)} (${figure(low / unit)}–${figure(high / unit)})`;
}

function heartbeats(records: readonly MigrationRecord[]): string {
  const outages = records.flatMap(({ outage }) => outage ?? []);
  if (outages.length === 0 || outages.length < records.length) return '–';
  const lost = sumOf(outages, 'lostHeartbeats');
  return `${lost}/${sumOf(outages, 'repeatedHeartbeats')}`;
}

/** What was verified in every run; the worst that was found in any. */
function verdict(records: readonly MigrationRecord[]): string {
  const found = new Set(records.flatMap(({ verified }) => [verified.memory, verified.continued]));
  for (const worst of ['different', 'not-checked'] as const) if (found.has(worst)) return worst;
  return found.size === 0 ? '–' : 'identical';
}

function hasAlike(results: readonly CellResult[]): boolean {
  return results.some(({ records, ensemble }) => {
    return isOneRun(completedOf(records)) || (ensemble !== undefined && areAlike(ensemble.downtimesNs));
  });
}

function footnotes(
  results: readonly CellResult[],
  predictedRows: readonly PredictedRow[],
  hasEnsembles: boolean,
  world: string,
): string[] {
  const records = results.flatMap((result) => result.records);
  const few = results.some((result) => result.records.length > 1 && result.records.length < 6);
  return [
    `World: ${world}. Figures are medians${records.length > results.length ? ' [95 % interval of the median]' : ' of one run'}; gap: the longest time without a heartbeat in any run.`,
    ...(hasEnsembles ? [] : modelNotes(predictedRows)),
    ...tailDoubt(results),
    ...(hasAlike(results) ? [ALIKE_NOTE] : []),
    ...(few ? ['* fewer than six runs give no 95 % interval: [minimum–maximum] instead.'] : []),
    ...(hasEnsembles
      ? ['virtual: the same scenario in virtual time, median of up to 200 runs (the middle 95 % of them).']
      : []),
    ...(hasEnsembles || world === 'virtual' ? [costsNote(results[0]?.cell.machine)] : []),
    ...new Set(records.flatMap(({ link }) => encryptionNote(link))),
    ...oneOfAKind(records.flatMap(({ notes }) => notes)),
    ...notCompleted(records),
  ];
}

/** What is sent takes longer if it is encrypted, and is more. */
function encryptionNote({ encryption }: LinkRecord): readonly string[] {
  return encryption.kind === 'none' ? [] : [`The stream was ${formatEncryption(encryption)}.`];
}
