import type { Nanos } from '../units.ts';

/** A stretch of time in which one competitor had a processor. */
export interface Slice {
  readonly name: string;
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly processor: number;
}
