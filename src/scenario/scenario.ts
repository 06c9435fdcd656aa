import { basename } from 'node:path';
import type { Antagonist } from '../core/antagonist.ts';
import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { BytesPerSecond } from '../core/units.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import type { MigrationSpec, NativeSettings } from '../workload/migration-spec.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { burstingGuest, checkAntagonists, resolveAntagonists } from './background.ts';
import { checked } from './checked.ts';
import { checkCpu, resolveCpu } from './cpu.ts';
import { type LinkShare, type Place, placesOf, resolveShare } from './fleet.ts';
import { insisting, resolveGuest, resolvePlan } from './parts.ts';
import { type ScenarioDocument, scenarioSchema } from './scenario-schema.ts';
import { type Cell, cellsOf, type Setting, withSettings } from './settings.ts';
import { parseYaml, readText } from './yaml-file.ts';

/** One cell of a scenario, everything resolved: what to run, all but the seed of each run. */
export interface Scenario {
  readonly guest: Omit<GuestSpec, 'seed'>;
  readonly plan: Omit<Plan, 'seed'>;
  readonly cpu: CpuPlan;
  readonly antagonists: readonly Antagonist[];
  readonly linkCapacityBytesPerSecond: BytesPerSecond;
  readonly deltas: boolean;
  readonly native: NativeSettings;
  /** null: the link is its own. */
  readonly share: LinkShare | null;
}

type Seedable = Pick<Scenario, 'guest' | 'plan' | 'cpu'> & Partial<Scenario>;

/** The scenario of one run: everything in it that is random comes from this seed. */
export function seeded({ guest, plan, share: _, ...rest }: Seedable, seed: number): MigrationSpec {
  return { guest: { ...guest, seed }, plan: { ...plan, seed }, ...rest };
}

export interface ExperimentCell {
  readonly cell: Cell;
  readonly scenario: Scenario;
  /** Those with the same number share a link, and run together. */
  readonly together: number;
}

/** A scenario file with its matrix. */
export interface Experiment {
  readonly name: string;
  readonly describe: string;
  readonly runs: number;
  readonly seed: number;
  /** Each cell of the matrix, or where its guests share a link, each of them. */
  readonly cells: readonly ExperimentCell[];
}

/** Where a scenario is from. Without a file it cannot name other files. */
export interface Source {
  readonly name: string;
  /** Where the paths in it begin. */
  readonly file?: string | undefined;
}

export function sourceOf(file: string): Source & { readonly file: string } {
  return { file, name: basename(file).replace(/\.ya?ml$/, '') };
}

/** A scenario as it is written, its settings made. What it says of several migrations lies apart. */
export interface WrittenScenario extends Source {
  readonly base: Readonly<Record<string, unknown>>;
  readonly compare: unknown;
  readonly sweep: unknown;
  readonly stress: unknown;
}

/** The same with its file and what is in it. */
export interface ScenarioFile extends WrittenScenario {
  readonly file: string;
  readonly text: string;
}

/** @throws Failure it cannot be read. @throws UsageError it is not a scenario at all. */
export function readScenario(file: string, settings: readonly Setting[] = []): ScenarioFile {
  const text = readText(file);
  return { ...scenarioOf(parseYaml(text, file), sourceOf(file), settings), file, text };
}

/** @throws UsageError it is not a scenario at all */
export function scenarioOf(
  document: unknown,
  source: Source,
  settings: readonly Setting[] = [],
): WrittenScenario {
  const whole = asObject(withSettings(document, settings), source.file ?? source.name);
  const { compare, sweep, stress, ...base } = whole;
  return { ...source, base, compare, sweep, stress };
}

/** One guest of a cell, everything resolved; the settings say which guest it is. */
interface Member extends Pick<Experiment, 'describe' | 'runs' | 'seed'> {
  readonly cell: Cell;
  readonly scenario: Scenario;
}

/** One cell: its guest, or where a fleet shares the link, each of its guests. @throws UsageError all that is wrong with it. */
export function resolveCell(
  { base, file }: Pick<WrittenScenario, 'base' | 'file'>,
  cell: Cell,
): readonly Member[] {
  const raw = withSettings(base, cell.settings);
  const document = checked(scenarioSchema, raw, 'scenario');
  const { describe, runs, seed, fleet } = document;
  if (!fleet) return [{ describe, runs, seed, cell, scenario: resolveScenario(document, file) }];
  return placesOf(fleet).map(({ place, set }) => {
    const own = Object.entries(set).map(([path, value]) => ({ path, value }));
    const settings = [...own, { path: 'guest.name', value: place.name }];
    const member = checked(scenarioSchema, withSettings(raw, settings), 'scenario');
    return {
      ...{ describe, runs, seed },
      cell: { settings: [...cell.settings, { path: 'fleet', value: place.name }] },
      scenario: resolveScenario(member, file, place),
    };
  });
}

/**
 * Reads a scenario file, makes the settings, expands its matrix and resolves every cell.
 * @throws Failure the file, or one that it names, cannot be read
 * @throws UsageError all that is wrong with its contents
 */
export function loadExperiment(file: string, settings: readonly Setting[] = []): Experiment {
  return experimentOf(readScenario(file, settings));
}

/** The same of a scenario that is there already. @throws Failure, UsageError as `loadExperiment` */
export function experimentOf(scenario: WrittenScenario): Experiment {
  const problems = new Map<string, Problem>();
  const resolved = cellsOf(scenario.compare).flatMap((cell, together) => {
    try {
      return resolveCell(scenario, cell).map((member) => ({ ...member, together }));
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      for (const problem of cause.problems) problems.set(JSON.stringify(problem), problem);
      return [];
    }
  });
  if (problems.size > 0) throw new UsageError([...problems.values()]);
  const { describe, runs, seed } = resolved[0]!;
  return {
    name: scenario.name,
    describe,
    runs,
    seed,
    cells: resolved.map(({ cell, scenario, together }) => ({ cell, scenario, together })),
  };
}

function asObject(document: unknown, file: string): Record<string, unknown> {
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new UsageError([{ path: file, expected: 'a scenario', found: shown(document) }]);
}

/** The document in the terms of the worlds; what the schema alone could not check is checked here. */
function resolveScenario(document: ScenarioDocument, file: string | undefined, place?: Place): Scenario {
  const { link, background, vm, qemu: native } = document;
  return insisting((insist) => {
    const steady = resolveGuest(document.guest, file, insist);
    const cpu = resolveCpu(document);
    checkCpu(cpu, insist);
    const antagonists = resolveAntagonists(background);
    checkAntagonists(antagonists, link.capacity, insist);
    const guest = burstingGuest(steady, antagonists);
    const plan = resolvePlan(document, guest, insist);
    const share = resolveShare(document, plan.stopRateBytesPerSecond, place, insist);
    const linkCapacityBytesPerSecond = link.capacity ?? Number.POSITIVE_INFINITY;
    const machine = { deltas: vm.delta, native };
    return { guest, cpu, antagonists, linkCapacityBytesPerSecond, ...machine, plan, share };
  });
}
