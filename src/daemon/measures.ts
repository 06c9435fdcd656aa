import type { MigrationRecord } from '../core/migration/record.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';

/**
 * What the last live round says of convergence: with a ratio above 1 further rounds do not help. `undefined`: there was no
 * live round, or nothing was sent in it.
 */
export function convergenceOf({ rounds, stop, plan }: MigrationRecord) {
  const last = rounds.at(-1);
  if (!last || last.durationNs === 0 || last.bytes === 0) return undefined;
  // A migration that never stopped its guest has no D_{K+1}: then the round before it is the latest that is known.
  const harvested = stop.pages > 0 ? stop.pages : last.dirtyPages;
  const [over, held] =
    stop.pages > 0 ? [last, last.deferredPages] : [rounds.at(-2) ?? last, rounds.at(-2)?.deferredPages ?? 0];
  const seconds = over.durationNs / 1e9;
  const dirtyBytesPerSecond = (Math.max(0, harvested - held) * plan.pageBytes) / seconds;
  const transferBytesPerSecond = over.bytes / seconds;
  const ratio = dirtyBytesPerSecond / transferBytesPerSecond;
  return { dirtyBytesPerSecond, transferBytesPerSecond, ratio };
}

/** Of a migration, what its guarantees were, in so few words that each can be a time series. */
export function guaranteeLabels({ reservations, plan }: MigrationRecord) {
  const { guest, sender, hogs } = reservations;
  const rate = plan.stopRateBytesPerSecond;
  return {
    guarantee: guest && sender ? 'both' : guest ? 'guest' : sender ? 'sender' : 'none',
    antagonists: hogs > 0 ? 'hogs' : 'none',
    sender_share: sender ? stepAbove(sender.budgetNs / sender.periodNs, SHARES, String) : 'none',
    sender_period: sender
      ? stepAbove(sender.periodNs / NANOS_PER_MILLISECOND, PERIODS_MS, (ms) => `${ms}ms`)
      : 'none',
    stop_rate:
      rate === null ? 'unlimited' : stepAbove((rate * 8) / 1e6, RATES_MBIT, (mbit) => `${mbit}Mbit/s`),
  };
}

const SHARES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const PERIODS_MS = [1, 2, 5, 10, 20, 50, 100, 1000];
const RATES_MBIT = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

/** The least step that is not below the value. */
function stepAbove(value: number, steps: readonly number[], format: (step: number) => string): string {
  const step = steps.find((step) => value <= step * (1 + 1e-9));
  return step === undefined ? `over ${format(steps.at(-1)!)}` : format(step);
}
