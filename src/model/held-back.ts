import { known } from '../core/migration/heat.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { PageStratum } from './portions.ts';

/** Pages that lie anywhere, of which it is not known yet whether they are held back. */
type Stratum = Pick<PageStratum, 'pages' | 'writesPerSecond' | 'zero'>;

const anywhere = { from: 0, to: 1 };

/**
 * The strata with those marked that wait for the stop whenever they are dirty (core/migration/deferral.ts). A count may
 * divide a stratum: if heats are known, the first pages of it by address wait; if they are estimated, any of them.
 */
export function heldBack(
  strata: readonly Stratum[],
  { defer, heat, windowNs }: Pick<Plan, 'defer' | 'heat' | 'windowNs'>,
): readonly PageStratum[] {
  if (defer === null) return strata.map((stratum) => ({ ...stratum, deferred: false, ...anywhere }));
  if ('threshold' in defer) {
    const writesPerSecond = Float64Array.from(strata, (stratum) => stratum.writesPerSecond);
    const heats = known({ writesPerSecond }, windowNs);
    return strata.map((stratum, index) => ({
      ...stratum,
      deferred: heats.of(index) >= defer.threshold,
      ...anywhere,
    }));
  }
  let left = defer.count;
  return strata
    .toSorted((one, other) => other.writesPerSecond - one.writesPerSecond)
    .flatMap((stratum) => {
      const waiting = Math.min(left, stratum.pages);
      left -= waiting;
      const others = stratum.pages - waiting;
      const cut = heat === 'known' ? waiting / stratum.pages : null;
      const parts = [
        { ...stratum, pages: waiting, deferred: true, from: 0, to: cut ?? 1 },
        { ...stratum, pages: others, deferred: false, from: cut ?? 0, to: 1 },
      ];
      return parts.filter(({ pages }) => pages > 0);
    });
}
