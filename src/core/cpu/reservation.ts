import { formatDuration, type Nanos } from '../units.ts';

/** A CPU reservation (Q, P): a budget of CPU time in every period. Whole numbers, 0 < Q ≤ P. */
export interface Reservation {
  readonly budgetNs: Nanos;
  readonly periodNs: Nanos;
}

/** `4 ms every 10 ms` */
export function formatReservation({ budgetNs, periodNs }: Reservation): string {
  return `${formatDuration(budgetNs)} every ${formatDuration(periodNs)}`;
}

/** U = Q / P. */
export function shareOf({ budgetNs, periodNs }: Reservation): number {
  return budgetNs / periodNs;
}

/**
 * a·b against c·d: negative, 0 or positive. Exact for whole numbers, also where the products are too large for a
 * double; as exact as a double for others.
 */
export function compareProducts(a: number, b: number, c: number, d: number): number {
  const fitting = Math.abs(a * b) <= Number.MAX_SAFE_INTEGER && Math.abs(c * d) <= Number.MAX_SAFE_INTEGER;
  if (fitting || ![a, b, c, d].every(Number.isInteger)) return a * b - c * d;
  return Number(BigInt(a) * BigInt(b) - BigInt(c) * BigInt(d));
}
