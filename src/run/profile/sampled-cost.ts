import { quantile } from 'simple-statistics';
import type { Cost } from '../../core/machine-costs.ts';

/** What samples say of a cost, in four significant digits. */
export function sampledCost(samples: readonly number[]): Cost {
  const at = (p: number) => Number(quantile([...samples], p).toPrecision(4));
  return { median: at(0.5), p95: at(0.95), samples: samples.length };
}

/** So many times in a row. */
export function repeated(times: number, sample: () => number): Cost {
  return sampledCost(Array.from({ length: times }, sample));
}
