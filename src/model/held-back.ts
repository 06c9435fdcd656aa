import { known } from '../core/migration/heat.ts';
import type { Defer } from '../core/migration/plan.ts';
import type { Nanos } from '../core/units.ts';
import type { PageStratum } from './portions.ts';

/**
 * The strata with those marked that wait for the stop whenever they are dirty (core/migration/deferral.ts), write rates
 * being known. A count may divide a stratum; both parts are taken to be scattered over it.
 */
export function heldBack(
  strata: readonly Omit<PageStratum, 'deferred'>[],
  defer: Defer | null,
  windowNs: Nanos,
): readonly PageStratum[] {
  if (defer === null) return strata.map((stratum) => ({ ...stratum, deferred: false }));
  if ('threshold' in defer) {
    const heat = known({ writesPerSecond: Float64Array.from(strata, (s) => s.writesPerSecond) }, windowNs);
    return strata.map((stratum, index) => ({ ...stratum, deferred: heat.of(index) >= defer.threshold }));
  }
  let left = defer.count;
  return strata
    .toSorted((one, other) => other.writesPerSecond - one.writesPerSecond)
    .flatMap((stratum) => {
      const waiting = Math.min(left, stratum.pages);
      left -= waiting;
      const parts = [
        { ...stratum, pages: waiting, deferred: true },
        { ...stratum, pages: stratum.pages - waiting, deferred: false },
      ];
      return parts.filter(({ pages }) => pages > 0);
    });
}
