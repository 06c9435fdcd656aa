import { normalQuantile } from '../../model/normal.ts';

/** The least amounts of a reservation with which no more of a sample than so many miss a clause. */
export interface Edges {
  readonly sample: number;
  /** With at most so many missed: none, unless some are with any amount that was asked. */
  readonly fewest: { readonly missed: number; readonly amount: number };
  /** With a few: what a certificate still comes to terms with. */
  readonly few: { readonly missed: number; readonly amount: number };
  /** With so many that whoever looks sees it: below that the clause is missed. */
  readonly many: { readonly missed: number; readonly amount: number };
}

/** Of what a clause allows to be missed: what is aimed at, and what a certificate comes to terms with. */
const AIMED = 0.03;
const CERTIFIABLE = 0.3;
/** Those who see whether a clause is missed look at so many migrations. */
const SEEN_IN = 200;
/** As amounts are rounded up to three digits, a tenth less may be a little more than that. */
const ROUNDING = 0.98;

/** How many of a sample may miss a clause that is to be kept with probability q: `few` and `many` of its edges. */
export function countsOf(q: number, sample: number): { readonly few: number; readonly many: number } {
  const allowed = 1 - q;
  // Two deviations above what is allowed, and one more.
  const seen = allowed + 2 * Math.sqrt((allowed * q) / SEEN_IN) + 1 / SEEN_IN;
  return { few: Math.floor(CERTIFIABLE * allowed * sample), many: Math.ceil(seen * sample) };
}

/**
 * The amount with which far less is missed than a clause allows; but where what migrations need is spread so widely that a
 * tenth less would not show, only as much as a certificate asks for. What they need is taken to be spread normally beyond
 * what the sample tells: the (m + 1)-th largest of n lies at the quantile 1 − (m + 0.7)/(n + 0.4) (Benard's approximation).
 */
export function safeAmount({ sample, fewest, few, many }: Edges, q: number): number {
  const scoreOf = (count: number) => normalQuantile(1 - (count + 0.7) / (sample + 0.4));
  const [atMany, atFewest] = [scoreOf(many.missed), scoreOf(fewest.missed)];
  const aimed = Math.max(atFewest, normalQuantile(1 - AIMED * (1 - q)));
  const safe =
    many.amount + ((fewest.amount - many.amount) * (aimed - atMany)) / Math.max(1e-9, atFewest - atMany);
  return Math.max(few.amount, Math.min(safe, (many.amount / 0.9) * ROUNDING));
}
