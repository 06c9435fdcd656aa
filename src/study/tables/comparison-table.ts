import Table from 'cli-table3';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { paired } from '../statistics/comparison.ts';
import { figure } from './figure.ts';

/** A cell that is compared with the first one. */
export interface ComparedCell {
  readonly values: readonly string[];
  /** By repetition; NaN where it was not completed. */
  readonly downtimesNs: readonly Nanos[];
}

/** How each cell's downtime differs from the first one's, pair by pair. `undefined`: there is nothing to compare. */
export function comparisonTable(
  headings: readonly string[],
  cells: readonly ComparedCell[],
): string | undefined {
  const [first, ...others] = cells;
  const rows = others.flatMap(({ values, downtimesNs }) => {
    const comparison = paired(first!.downtimesNs, downtimesNs);
    if (!comparison?.difference.confident) return [];
    const { value, low, high } = comparison.difference;
    const ms = (ns: number) =>
      `${ns > 0 ? '+' : ns < 0 ? '−' : ''}${figure(Math.abs(ns) / NANOS_PER_MILLISECOND)}`;
    const interval = `${ms(value)} [${ms(low)} to ${ms(high)}]`;
    return [[...values, interval, `${(100 * comparison.superiority).toFixed(0)} %`]];
  });
  if (rows.length === 0) return undefined;
  const table = new Table({
    head: [...headings, 'downtime ms, difference', 'shorter'],
    colAligns: [...headings.map(() => 'left' as const), 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return [
    `Against ${headings.map((heading, index) => `${heading} ${first!.values[index]}`).join(', ')}`,
    table.toString(),
    'Runs of one seed are pairs. The median of the differences [its 95 % interval]; shorter: in so many pairs.',
  ].join('\n');
}
