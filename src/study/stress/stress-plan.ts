import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import { shown, UsageError } from '../../platform/problem.ts';
import { checked } from '../../scenario/checked.ts';
import { locating } from '../../scenario/located.ts';
import { object } from '../../scenario/object-schema.ts';
import {
  type Experiment,
  experimentOf,
  onMachine,
  readScenario,
  type ScenarioCell,
  type ScenarioFile,
  seeded,
} from '../../scenario/scenario.ts';
import { combinationsOf, type Setting, withSettings } from '../../scenario/settings.ts';
import { disturbanceOf } from '../../workload/antagonists/disturbance.ts';
import type { WorldName } from '../../worlds/world-names.ts';
import { parseThreshold, type Threshold } from './threshold.ts';

const RAMP = 'a ramp: one path with a list of values, from the mildest to the harshest';

const threshold = z
  .string('a threshold such as downtime p95 < 300ms')
  .transform((text, context): Threshold => {
    const parsed = parseThreshold(text);
    if (!('expected' in parsed)) return parsed;
    context.addIssue({ code: 'custom', message: parsed.expected });
    return z.NEVER;
  });

export const stressSchema = object(
  'Stress',
  'What `switchover stress` raises level by level until a threshold is missed.',
  'a stress: { ramp, thresholds }',
  {
    ramp: z
      .record(z.string(), z.array(z.unknown(), RAMP).min(1, RAMP), RAMP)
      .refine((ramp) => Object.keys(ramp).length === 1, RAMP)
      .describe('One path of the scenario with a list of values, from the mildest to the harshest.'),
    thresholds: z
      .array(threshold, 'a list of thresholds')
      .min(1, 'at least one threshold')
      .meta({ examples: [['downtime p95 < 300ms', 'lateFrames < 5%']] })
      .describe('What must hold at a level, such as downtime p95 < 300ms.'),
  },
);

/** A scenario whose intensity rises level by level, until a threshold is missed. */
export type StressPlan = ReturnType<typeof loadStress>;

/** One intensity, and the alternatives under it. */
export type Level = StressPlan['levels'][number];

/**
 * Reads a scenario with its `stress`, and resolves every level with every alternative of its `compare`.
 * @param only of the alternatives, those with these settings
 * @throws Failure the file cannot be read
 * @throws UsageError all that is wrong with its contents
 */
export function loadStress(
  file: string,
  settings: readonly Setting[],
  only: readonly Setting[] = [],
  machine?: PredictedMachine,
) {
  const scenario = readScenario(file, settings);
  return locating(file, scenario.text, () => stressOf(scenario, only, machine));
}

function stressOf(scenario: ScenarioFile, only: readonly Setting[], machine: PredictedMachine | undefined) {
  const { ramp, thresholds } = checked(stressSchema, scenario.stress, 'stress', ['stress']);
  const levels = combinationsOf(ramp).map((level) => {
    const experiment = onMachine(
      experimentOf({ ...scenario, base: withSettings(scenario.base, level) }),
      machine,
    );
    return { settings: level, experiment: { ...experiment, cells: chosen(experiment, only) } };
  });
  const { name, describe } = levels[0]!.experiment;
  return { scenario, name, describe, levels, thresholds };
}

/** @throws Refusal an antagonist means nothing in this world: said before anything is made */
export function checkWorld({ levels }: StressPlan, world: WorldName): void {
  if (world !== 'virtual') return;
  for (const { experiment } of levels) {
    for (const cell of experiment.cells) disturbanceOf(seeded(cell, experiment.seed));
  }
}

function chosen({ cells }: Experiment, only: readonly Setting[]): Experiment['cells'] {
  const left = cells.filter((cell) => only.every((setting) => has(cell, setting)));
  if (left.length > 0) return left;
  throw new UsageError(
    only.map(({ path, value }) => ({
      path: `--only ${path}`,
      expected: 'a setting of one of the alternatives under compare',
      found: shown(value),
    })),
  );
}

function has({ settings }: ScenarioCell, wanted: Setting): boolean {
  return settings.some(({ path, value }) => path === wanted.path && isDeepStrictEqual(value, wanted.value));
}
