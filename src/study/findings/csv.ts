import type { Collection } from './collection.ts';
import type { RecordedRun } from './recorded-run.ts';

/** What is said of every migration beside its cell and its settings. */
const columns: readonly (readonly [string, (run: RecordedRun) => number | string])[] = [
  ['seed', ({ seed }) => seed],
  ['completed', ({ completed }) => (completed ? 1 : 0)],
  ['downtimeNs', ({ downtimeNs }) => downtimeNs],
  ['memoryNs', ({ memoryNs }) => memoryNs],
  ['totalNs', ({ totalNs }) => totalNs],
  ['predictedDowntimeNs', ({ predicted }) => predicted?.downtimeNs ?? ''],
  ['longestGapNs', ({ gapNs }) => gapNs ?? ''],
  ['heartbeats', ({ heartbeats }) => heartbeats],
  ['lateHeartbeats', ({ lateHeartbeats }) => lateHeartbeats],
  ['periods', ({ periods }) => periods],
  ['missedPeriods', ({ missedPeriods }) => missedPeriods],
  ['missedByMachine', ({ missedByMachine }) => missedByMachine],
];

/** A line a migration, with the settings of its cell. Times in ns. */
export function* csvOf({ paths, cells }: Collection): Generator<string> {
  yield row(['cell', 'world', ...paths, ...columns.map(([name]) => name)]);
  for (const { number, values, runs } of cells) {
    for (const run of runs) yield row([number, run.world, ...values, ...columns.map(([, of]) => of(run))]);
  }
}

function row(fields: readonly (string | number)[]): string {
  return `${fields.map(field).join(',')}\n`;
}

/** RFC 4180; text that a spreadsheet would take for a formula is marked as text (OWASP, CSV injection). */
function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
