/**
 * The migration as a generator of steps, what drives it in a world, the page orders and stop rules that it follows, and
 * yours, which are registered here.
 */
export type { Migration } from './core/migration/ask.ts';
export type { Heat } from './core/migration/heat.ts';
export { migrate } from './core/migration/migrate.ts';
export type { MigrationResult, RoundRecord } from './core/migration/migration-result.ts';
export { byProbability, type ProbabilityOrder } from './core/migration/order/by-probability.ts';
export { type OrderedRound, orderByProbability } from './core/migration/order/known-probabilities.ts';
export { expectedDirty } from './core/migration/order/objective.ts';
export { type OrderName, orderRegistry, registerOrder } from './core/migration/order/orders.ts';
export type {
  HeatKind,
  OrderContext,
  OrderDefinition,
  PageOrder,
} from './core/migration/order/page-order.ts';
export { PageSet } from './core/migration/pages.ts';
export type { Clear, Defer, Plan } from './core/migration/plan.ts';
export type { MigrationRecord, RunMetadata } from './core/migration/record.ts';
export type { Step, StepResult } from './core/migration/steps.ts';
export type {
  Progress,
  StopParameters,
  StopRule,
  StopRuleDefinition,
  Verdict,
} from './core/migration/stop/stop-rule.ts';
export { registerStopRule, type StopSpec, stopRule, stopRuleRegistry } from './core/migration/stop/stops.ts';
export { Random } from './core/random.ts';
export { BadDefinition, RegisteredCodeFailed, type Registry, UnknownName } from './core/registry.ts';
export {
  type Bytes,
  type BytesPerSecond,
  formatDuration,
  formatRate,
  formatSize,
  type Nanos,
  parseDuration,
  parseRate,
  parseSize,
} from './core/units.ts';
export { version } from './platform/package.ts';
export { use } from './platform/used-files.ts';
export { drive, type StepListener } from './run/drive.ts';
export type { World } from './worlds/world.ts';
