/**
 * What can be said of a migration without carrying it out: pages written independently at known rates, followed in
 * expectation; a curve of dirty pages; and the closed forms of the literature. `predict` in `switchover/run` asks the
 * model for a scenario.
 */
export * from '../model/closed-forms.ts';
export * from '../model/curve.ts';
export type { CurveGuest } from '../model/curve-memory.ts';
export { type ExpectedOrder, expectedOrder } from '../model/expected-order.ts';
export { heldBack } from '../model/held-back.ts';
export { PoissonBinomial } from '../model/poisson-binomial.ts';
export { type PageStratum, type Portions, portionsOfPages } from '../model/portions.ts';
export * from '../model/predictor.ts';
export type { RatesGuest } from '../model/rates-memory.ts';
export { type OrderedPortions, orderOfStrata, type StrataContext } from '../model/strata-order.ts';
