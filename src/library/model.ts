/**
 * What can be said of a migration without carrying it out: pages written independently at known rates, followed in
 * expectation; a curve of dirty pages; and the closed forms of the literature. `predict` in `switchover/run` asks the
 * model for a scenario.
 */
export {
  type ClosedForm,
  type GeometricGuest,
  geometricMigration,
  simGridMigration,
} from '../model/closed-forms.ts';
export {
  type CurvePoint,
  type DirtyCurve,
  linearCurve,
  measuredCurve,
  saturatingCurve,
} from '../model/curve.ts';
export type { CurveGuest } from '../model/curve-memory.ts';
export { type ExpectedOrder, expectedOrder } from '../model/expected-order.ts';
export { PoissonBinomial } from '../model/poisson-binomial.ts';
export {
  type ModelInput,
  type ModelPrediction,
  type PredictedMigration,
  type PredictedStop,
  predictMigration,
} from '../model/predictor.ts';
export type { RatesGuest } from '../model/rates-memory.ts';
