import { known } from '../core/migration/heat.ts';
import type { Plan } from '../core/migration/plan.ts';
import { NANOS_PER_SECOND } from '../core/units.ts';
import { binomial } from './distribution.ts';
import type { PageStratum } from './portions.ts';

/** Pages that lie anywhere, of which it is not known yet whether they are held back. */
type Stratum = Pick<PageStratum, 'pages' | 'writesPerSecond' | 'zero'>;

/** Which part of a stratum it is. */
type Held = Pick<PageStratum, 'deferred' | 'from' | 'to'>;

const anywhere = { from: 0, to: 1 };

/**
 * The strata with those marked that wait for the stop whenever they are dirty (core/migration/deferral.ts). A count may
 * divide a stratum: if heats are known, the first pages of it by address wait; if they are estimated, any of them.
 */
export function heldBack<S extends Stratum>(
  strata: readonly S[],
  plan: Pick<Plan, 'defer' | 'heat' | 'windowNs' | 'observeNs'>,
): readonly (S & Held)[] {
  const { defer, heat, windowNs } = plan;
  if (defer === null) return strata.map((stratum) => ({ ...stratum, deferred: false, ...anywhere }));
  if (heat === 'estimated') return heldBackAsSeen(strata, defer, plan);
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
      const cut = waiting / stratum.pages;
      const parts = [
        { ...stratum, pages: waiting, deferred: true, from: 0, to: cut },
        { ...stratum, pages: others, deferred: false, from: cut, to: 1 },
      ];
      return parts.filter(({ pages }) => pages > 0);
    });
}

/**
 * What is estimated is only what the windows before the migration saw: of W windows, page p is seen in Binomial(W, π_p). By
 * threshold those wait that enough of them saw. By count those that any saw, the hottest strata first, and then, of all that
 * no window saw, those of the lowest addresses. (That windows of long ago weigh less is left out.)
 */
function heldBackAsSeen<S extends Stratum>(
  strata: readonly S[],
  defer: NonNullable<Plan['defer']>,
  { windowNs, observeNs }: Pick<Plan, 'windowNs' | 'observeNs'>,
): readonly (S & Held)[] {
  const windows = Math.ceil(observeNs / windowNs);
  const seenOften = (stratum: Stratum, least: number) => {
    const inWindow = -Math.expm1((-stratum.writesPerSecond * windowNs) / NANOS_PER_SECOND);
    return stratum.pages * (least > windows ? 0 : atLeast(windows, inWindow, least));
  };
  if ('threshold' in defer) {
    const least = Math.max(1, Math.ceil(defer.threshold * windows - ROUNDING));
    return strata.flatMap((stratum) => divided(stratum, seenOften(stratum, least)));
  }
  let left = defer.count;
  const parts = strata
    .toSorted((one, other) => other.writesPerSecond - one.writesPerSecond)
    .map((stratum) => {
      const seen = seenOften(stratum, 1);
      const waiting = Math.min(left, seen);
      left -= waiting;
      return { stratum, seen, waiting };
    });
  const unseen = parts.reduce((sum, { stratum, seen }) => sum + (stratum.zero ? 0 : stratum.pages - seen), 0);
  const cut = unseen > 0 ? Math.min(1, left / unseen) : 0;
  const zeros = parts.reduce((sum, { stratum }) => sum + (stratum.zero ? stratum.pages : 0), 0);
  const zeroCut = zeros > 0 ? Math.max(0, left - unseen) / zeros : 0;
  return parts
    .flatMap(({ stratum, seen, waiting }) => {
      const never = stratum.pages - seen;
      const first = never * (stratum.zero ? zeroCut : cut);
      return [
        { ...stratum, pages: waiting, deferred: true, ...anywhere },
        { ...stratum, pages: seen - waiting, deferred: false, ...anywhere },
        { ...stratum, pages: first, deferred: true, from: 0, to: stratum.zero ? 1 : cut },
        { ...stratum, pages: never - first, deferred: false, from: stratum.zero ? 0 : cut, to: 1 },
      ];
    })
    .filter(({ pages }) => pages > 0);
}

/** Below this, a sum of parts is no page. */
const ROUNDING = 1e-9;

function divided<S extends Stratum>(stratum: S, waiting: number): (S & Held)[] {
  const parts = [
    { ...stratum, pages: waiting, deferred: true, ...anywhere },
    { ...stratum, pages: stratum.pages - waiting, deferred: false, ...anywhere },
  ];
  return parts.filter(({ pages }) => pages > ROUNDING);
}

/** Pr[Binomial(n, p) ≥ k]. */
function atLeast(n: number, p: number, k: number): number {
  if (p === 0 || p === 1) return p === 1 || k === 0 ? 1 : 0;
  const { first, mass } = binomial(n, p);
  return mass.reduce((sum, term, index) => (first + index >= k ? sum + term : sum), 0);
}
