/**
 * What can be said of a migration without carrying it out: pages written independently at known rates, followed in
 * expectation; a curve of dirty pages; and the closed forms of the literature. `predict` in `switchover/run` asks the
 * model for a scenario.
 */
export * from '../model/closed-forms.ts';
export * from '../model/curve.ts';
export type { CurveGuest } from '../model/curve-memory.ts';
export { type ExpectedOrder, expectedOrder } from '../model/expected-order.ts';
export { PoissonBinomial } from '../model/poisson-binomial.ts';
export * from '../model/predictor.ts';
export type { RatesGuest } from '../model/rates-memory.ts';
