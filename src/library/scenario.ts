/**
 * Scenarios: a guest, a link, processors and a policy, as people write them, and everything resolved. What is wrong with
 * one is told with its path, all of it at once.
 */
export { type Problem, UsageError } from '../platform/problem.ts';
export {
  type Experiment,
  experimentOf,
  loadExperiment,
  type Scenario,
  type ScenarioCell,
  scenarioOf,
  seeded,
} from '../scenario/scenario.ts';
export { scenarioFile } from '../scenario/scenario-file.ts';
export { parseSetting, type Setting } from '../scenario/settings.ts';
export type { MigrationSpec } from '../workload/migration-spec.ts';
