import type { Nanos } from '../../core/units.ts';
import { paired } from '../statistics/comparison.ts';
import { milliseconds } from './figure.ts';
import { plainTable } from './plain-table.ts';

/** A cell that is compared with the first one. */
export interface ComparedCell {
  readonly values: readonly string[];
  /** By repetition; NaN where it was not completed. */
  readonly downtimesNs: readonly Nanos[];
  /** Its runs do not differ. */
  readonly alike: boolean;
}

/** How each cell's downtime differs from the first one's, pair by pair. `undefined`: there is nothing to compare. */
export function comparisonTable(
  headings: readonly string[],
  cells: readonly ComparedCell[],
  width?: number,
): string | undefined {
  const [first, ...others] = cells;
  const rows = others.flatMap(({ values, downtimesNs, alike }) => {
    const exact = first!.alike && alike;
    const comparison = paired(first!.downtimesNs, downtimesNs, exact);
    if (!comparison || !(exact || comparison.difference.confident)) return [];
    const { value, low, high } = comparison.difference;
    const ms = (ns: number) => `${ns > 0 ? '+' : ns < 0 ? '−' : ''}${milliseconds(Math.abs(ns))}`;
    const interval = exact ? `${ms(value)} =` : `${ms(value)} [${ms(low)} to ${ms(high)}]`;
    return [[...values, interval, `${(100 * comparison.superiority).toFixed(0)} %`]];
  });
  if (rows.length === 0) return undefined;
  return [
    `Against ${headings.map((heading, index) => `${heading} ${first!.values[index]}`).join(', ')}`,
    plainTable([...headings, 'downtime ms, difference', 'shorter'], rows, headings.length, width),
    'Runs with the same seed are compared in pairs: median of the differences [95 % interval]; shorter: the share of pairs in which the alternative was shorter. =: exact, as runs of neither differ.',
  ].join('\n');
}
