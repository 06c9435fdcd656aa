import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Nanos } from '../src/core/units.ts';
import type { Sample } from '../src/observe/import/observation.ts';
import { readLogs } from '../src/observe/import/read-logs.ts';
import { migrateVirtually } from '../src/run/ensemble.ts';
import { impliedStopRate } from '../src/run/import/fit-observation.ts';
import { importReport, textOfScenario } from '../src/run/import/import-report.ts';
import { knownAt } from '../src/run/prediction/known-at.ts';
import { predictObservation } from '../src/run/prediction/predict-observation.ts';
import { experimentOf, scenarioOf, seeded } from '../src/scenario/scenario.ts';
import { parseYaml } from '../src/scenario/yaml-file.ts';

/** What was predicted of a run beside what came of it. */
export interface JudgedRun {
  readonly scenario: string;
  readonly file: string;
  readonly totalNs: Nanos;
  readonly withinMinute: { readonly predicted: number; readonly isRight: boolean };
  /** Predicted over measured. */
  readonly totalRatio: number | null;
  /** The same with the b_d of the run itself. */
  readonly downtimeRatio: number | null;
}

/** Logs below a folder, by the folder that they are in: one for each scenario. */
export function logsBelow(folder: string): readonly { readonly scenario: string; readonly file: string }[] {
  return readdirSync(folder)
    .filter((scenario) => statSync(join(folder, scenario)).isDirectory())
    .flatMap((scenario) =>
      readdirSync(join(folder, scenario))
        .filter((file) => /\.json(\.gz)?$/.test(file))
        .map((file) => ({ scenario, file: join(folder, scenario, file) })),
    );
}

const MINUTE = '60s';
const MINUTE_NS = 60e9;

/** Predicts the end of a pre-copy run from what was known once so many dirty syncs had told what the guest wrote. */
export function judged(scenario: string, file: string, syncs: number): JudgedRun | undefined {
  const { observation } = readLogs([file]);
  const end = endOf(observation.samples);
  const known = knownAt(observation, { syncs });
  if (!end || !known) return undefined;
  const stopRate = impliedStopRate(observation.samples) ?? undefined;
  const { within, totalNs, downtimeNs } = predictObservation(known, { stopRateBytesPerSecond: stopRate });
  const predicted = within?.[MINUTE] ?? Number.NaN;
  return {
    scenario,
    file,
    totalNs: end.atNs,
    withinMinute: { predicted, isRight: predicted > 0.5 === end.atNs <= MINUTE_NS },
    totalRatio: totalNs && totalNs.p50 / end.atNs,
    downtimeRatio: downtimeNs && end.downtimeNs ? downtimeNs.p50 / end.downtimeNs : null,
  };
}

/** How the scenario that is written of a log compares with it in virtual time. */
export function replayed(file: string): { readonly totalRatio: number; readonly bytesRatio: number } {
  const report = importReport(readLogs([file]));
  const end = endOf(report.observation.samples);
  const text = textOfScenario(report);
  if (!end?.sentBytes || text === undefined) throw new Error(`${file}: ${report.leftOut.join('; ')}`);
  const experiment = experimentOf(scenarioOf(parseYaml(text, file), { name: 'imported', file }));
  const { totalNs, link } = migrateVirtually(seeded(experiment.cells[0]!, experiment.seed));
  return { totalRatio: totalNs / end.atNs, bytesRatio: link.sentBytes / end.sentBytes };
}

/** The moment at which it was completed. */
function endOf(samples: readonly Sample[]): Sample | undefined {
  return samples.findLast(({ status }) => status === 'completed');
}
