import type { Imported } from '../../observe/import/formats.ts';
import { type Happened, happenedIn } from '../../observe/import/happened.ts';
import type { Observation } from '../../observe/import/observation.ts';
import { fitObservation, type WorkloadFit } from './fit-observation.ts';
import { type ImportedScenario, importedScenario, scenarioText } from './imported-scenario.ts';

/** What is made of the logs of a migration. */
export interface ImportReport {
  readonly format: string;
  readonly observation: Observation;
  readonly happened: Happened;
  readonly fit: WorkloadFit | null;
  readonly leftOut: readonly string[];
  readonly scenario: ImportedScenario | null;
}

export function importReport({ format, observation, missing }: Imported): ImportReport {
  const happened = happenedIn(observation);
  const fit = fitObservation(observation, happened);
  const { scenario, leftOut } = importedScenario(observation, happened, fit);
  return { format, observation, happened, fit, leftOut: [...missing, ...leftOut], scenario };
}

/** The scenario as YAML; undefined: there is none. */
export function textOfScenario({ scenario, fit, happened }: ImportReport): string | undefined {
  return scenario && fit ? scenarioText(scenario, fit, happened) : undefined;
}
