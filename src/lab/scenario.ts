import { basename } from 'node:path';
import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { GuestSpec } from '../worlds/guests/programs.ts';
import type { WorldSetup } from '../worlds/world.ts';
import { checked } from './checked.ts';
import { type Problem, shown, UsageError } from './problem.ts';
import { checkCpu, resolveCpu } from './scenario-cpu.ts';
import { insisting, resolveGuest, resolvePlan } from './scenario-parts.ts';
import { type ScenarioDocument, scenarioSchema } from './scenario-schema.ts';
import { type Cell, cellsOf, type Setting, withSettings } from './settings.ts';
import { readYaml } from './yaml-file.ts';

/** One cell of a scenario, everything resolved: what to run, all but the seed of each run. */
export interface Scenario {
  readonly guest: Omit<GuestSpec, 'seed'>;
  readonly plan: Omit<Plan, 'seed'>;
  readonly cpu: CpuPlan;
}

/** The scenario of one run: everything in it that is random comes from this seed. */
export function seeded({ guest, plan, cpu }: Scenario, seed: number): WorldSetup {
  return { guest: { ...guest, seed }, plan: { ...plan, seed }, cpu };
}

/** A scenario file with its matrix. */
export interface Experiment {
  readonly name: string;
  readonly describe: string;
  readonly runs: number;
  readonly seed: number;
  readonly cells: readonly { readonly cell: Cell; readonly scenario: Scenario }[];
}

/**
 * Reads a scenario file, makes the settings, expands its matrix and resolves every cell.
 * @throws Failure the file, or one that it names, cannot be read
 * @throws UsageError all that is wrong with its contents
 */
export function loadExperiment(file: string, settings: readonly Setting[] = []): Experiment {
  return experimentOf(withSettings(readYaml(file), settings), basename(file).replace(/\.ya?ml$/, ''), file);
}

/**
 * The experiment that a scenario document says.
 * @param file what it was read from; without one, it cannot name other files
 * @throws Failure a file that it names cannot be read
 * @throws UsageError all that is wrong with it
 */
export function experimentOf(document: unknown, name: string, file?: string): Experiment {
  const { compare, ...base } = asObject(document, file ?? name);
  const cells = cellsOf(compare);
  const problems = new Map<string, Problem>();
  const resolved = cells.flatMap((cell) => {
    try {
      const document = checked(scenarioSchema, withSettings(base, cell.settings), 'scenario');
      return [{ cell, document, scenario: resolveScenario(document, file) }];
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      for (const problem of cause.problems) problems.set(JSON.stringify(problem), problem);
      return [];
    }
  });
  if (problems.size > 0) throw new UsageError([...problems.values()]);
  const { describe, runs, seed } = resolved[0]!.document;
  return {
    name,
    describe,
    runs,
    seed,
    cells: resolved.map(({ cell, scenario }) => ({ cell, scenario })),
  };
}

function asObject(document: unknown, file: string): Record<string, unknown> {
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new UsageError([{ path: file, expected: 'a scenario', found: shown(document) }]);
}

/** The document in the terms of the worlds; what the schema alone could not check is checked here. */
function resolveScenario(document: ScenarioDocument, file: string | undefined): Scenario {
  return insisting((insist) => {
    const guest = resolveGuest(document.guest, file, insist);
    const cpu = resolveCpu(document);
    checkCpu(cpu, insist);
    return { guest, cpu, plan: resolvePlan(document, guest, insist) };
  });
}
