import Table from 'cli-table3';
import type { MigrationRecord } from '../../core/migration/record.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { CellResult } from '../run.ts';
import type { Cell } from '../settings.ts';
import { spread, summary } from '../statistics.ts';

/** The table of an experiment: a row a cell, medians with their intervals, prediction beside measurement. */
export function experimentTable(results: readonly CellResult[], world: string): string {
  const names = settingNames(results);
  const predicted = results.some((result) => result.ensemble);
  const table = new Table({
    head: [
      ...shortened(names),
      'runs',
      'downtime ms',
      ...(predicted ? ['memory part', 'virtual'] : ['model']),
      'total s',
      ...(predicted ? ['virtual'] : []),
      'gap ms',
      'lost/rep',
      'verified',
    ],
    colAligns: [...names.map(() => 'left' as const), ...Array.from({ length: 10 }, () => 'right' as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { cell, records, foreseen, ensemble } of results) {
    const done = records.filter((record) => record.outcome === 'completed');
    const measured = (value: (record: MigrationRecord) => Nanos, unit: number) =>
      done.length === 0 ? '–' : interval(summary(done.map(value)), unit);
    const virtually = (values: readonly Nanos[] | undefined, unit: number) =>
      predicted ? [values ? band(spread(values), unit) : '–'] : [];
    table.push([
      ...names.map((name) => settingOf(cell, name)),
      runsOf(records),
      measured((record) => record.downtimeNs, NANOS_PER_MILLISECOND),
      predicted
        ? measured((record) => record.downtimeParts.memoryNs, NANOS_PER_MILLISECOND)
        : figure((foreseen?.downtimeNs ?? Number.NaN) / NANOS_PER_MILLISECOND),
      ...virtually(ensemble?.downtimesNs, NANOS_PER_MILLISECOND),
      measured((record) => record.totalNs, NANOS_PER_SECOND),
      ...virtually(ensemble?.totalsNs, NANOS_PER_SECOND),
      done.length === 0 ? '–' : figure(longestGapNs(done) / NANOS_PER_MILLISECOND),
      heartbeats(done),
      verdict(done),
    ]);
  }
  return [table.toString(), ...footnotes(results, predicted, world)].join('\n');
}

/** The worst that a client saw in any run. */
function longestGapNs(records: readonly MigrationRecord[]): Nanos {
  return Math.max(...records.map(({ outage }) => outage?.longestGapNs ?? Number.NaN));
}

function settingNames(results: readonly CellResult[]): string[] {
  return [...new Set(results.flatMap(({ cell }) => cell.settings.map(({ path }) => path)))];
}

/** `migration.stop.rounds` is called `rounds`, unless another setting is too. */
function shortened(names: readonly string[]): string[] {
  const last = names.map((name) => name.split('.').at(-1)!);
  return last.map((short, index) =>
    last.filter((other) => other === short).length === 1 ? short : names[index]!,
  );
}

function settingOf({ settings }: Cell, name: string): string {
  const value = settings.find(({ path }) => path === name)?.value;
  return typeof value === 'object' && value !== null ? flow(value) : String(value);
}

/** `{ threshold: 0.3, window: 40ms }`, as it stands in the scenario. */
function flow(value: object): string {
  return Object.entries(value)
    .map(([key, inner]) => `${key} ${inner !== null && typeof inner === 'object' ? flow(inner) : inner}`)
    .join(', ');
}

/** A median and its interval; marked when there were too few values for 95 %. */
function interval({ median, low, high, confident, count }: ReturnType<typeof summary>, unit: number): string {
  if (count === 1) return figure(median / unit);
  return `${figure(median / unit)} [${figure(low / unit)}–${figure(high / unit)}]${confident ? '' : '*'}`;
}

function band({ median, low, high }: ReturnType<typeof spread>, unit: number): string {
  return `${figure(median / unit)} (${figure(low / unit)}–${figure(high / unit)})`;
}

function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function runsOf(records: readonly MigrationRecord[]): string {
  const done = records.filter((record) => record.outcome === 'completed').length;
  return done === records.length ? String(done) : `${done} of ${records.length}`;
}

function heartbeats(records: readonly MigrationRecord[]): string {
  if (records.length === 0 || records.some((record) => record.outage === null)) return '–';
  const sum = (value: (record: MigrationRecord) => number) =>
    records.reduce((total, record) => total + value(record), 0);
  return `${sum((record) => record.outage!.lostHeartbeats)}/${sum((record) => record.outage!.repeatedHeartbeats)}`;
}

/** What was verified in every run; the worst that was found in any. */
function verdict(records: readonly MigrationRecord[]): string {
  const found = new Set(records.flatMap(({ verified }) => [verified.memory, verified.continued]));
  for (const worst of ['different', 'not-checked'] as const) if (found.has(worst)) return worst;
  return found.size === 0 ? '–' : 'identical';
}

function footnotes(results: readonly CellResult[], predicted: boolean, world: string): string[] {
  const records = results.flatMap((result) => result.records);
  const few = results.some((result) => result.records.length > 1 && result.records.length < 6);
  return [
    `World: ${world}. Figures are medians${records.length > results.length ? ' [95 % interval of the median]' : ' of one run'}; gap: the longest silence the guest's viewer saw in any.`,
    ...(predicted ? [] : ['model: the expected downtime by the formulas, write rates known.']),
    ...(few ? ['* fewer than six runs give no 95 % interval: [least–largest] instead.'] : []),
    ...(predicted
      ? [
          'virtual: the same scenario in virtual time, median of up to 200 runs (the middle 95 % of them); no hashing, no hand-over.',
        ]
      : []),
    ...records
      .filter((record) => record.outcome !== 'completed')
      .map((record) => `seed ${record.seed}: ${record.outcome}: ${record.reason} (owner: ${record.owner})`),
  ];
}
