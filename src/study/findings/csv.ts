import type { Collection } from './collection.ts';

/** A line a migration, with the settings of its cell. Times in ns. */
export function* csvOf({ paths, cells }: Collection): Generator<string> {
  yield row([
    'cell',
    'world',
    ...paths,
    'seed',
    'completed',
    'downtimeNs',
    'memoryNs',
    'totalNs',
    'predictedDowntimeNs',
    'longestGapNs',
    'heartbeats',
    'lateHeartbeats',
    'periods',
    'missedPeriods',
    'missedByMachine',
  ]);
  for (const { number, values, runs } of cells) {
    for (const run of runs) {
      yield row([
        number,
        run.world,
        ...values,
        run.seed,
        run.completed ? 1 : 0,
        run.downtimeNs,
        run.memoryNs,
        run.totalNs,
        run.predicted?.downtimeNs ?? '',
        run.gapNs ?? '',
        run.heartbeats,
        run.lateHeartbeats,
        run.periods,
        run.missedPeriods,
        run.missedByMachine,
      ]);
    }
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
