import type { MigrationRecord } from '../src/core/migration/record.ts';
import type { Nanos } from '../src/core/units.ts';
import { quantile, type Summary, summary } from '../src/study/statistics/estimate.ts';

/** How far a figure of virtual time may be from the measured one: a part of it, and a time. */
export interface Tolerance {
  readonly part: number;
  readonly ns: Nanos;
}

/** One figure of many migrations, measured and in virtual time. */
export interface Agreement {
  readonly measured: Summary;
  readonly virtualNs: Nanos;
  /** Virtual less measured. */
  readonly errorNs: Nanos;
  readonly agrees: boolean;
}

export type Figure = (record: MigrationRecord) => Nanos;

/** The p-quantile of a figure. Its interval is that of the median, and for other quantiles the range of what was measured. */
export function agreementOf(
  measured: readonly MigrationRecord[],
  virtual: readonly MigrationRecord[],
  figure: Figure,
  { part, ns }: Tolerance,
  p = 0.5,
): Agreement {
  const values = measured.map(figure);
  const whole = summary(values);
  const median = quantile(values, p);
  const virtualNs = quantile(virtual.map(figure), p);
  const errorNs = virtualNs - median;
  return {
    measured:
      p === 0.5
        ? whole
        : { ...whole, median, low: Math.min(...values), high: Math.max(...values), confident: false },
    virtualNs,
    errorNs,
    agrees: Math.abs(errorNs) <= part * median + ns,
  };
}
