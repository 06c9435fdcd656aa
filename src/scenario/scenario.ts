import { basename } from 'node:path';
import type { PredictedMachine } from '../core/machine-costs.ts';
import type { Plan } from '../core/migration/plan.ts';
import { type Problem, UsageError, usageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { burstingGuest, checkAntagonists, resolveAntagonists } from './background.ts';
import { checked, insisting } from './checked.ts';
import { checkCpu, resolveCpu } from './cpu.ts';
import { insistOnKind } from './file-kinds.ts';
import { type LinkShare, type Place, placesOf, resolveShare } from './fleet.ts';
import { locating } from './located.ts';
import { resolveGuest, resolvePlan } from './parts.ts';
import { type ScenarioDocument, scenarioSchema } from './scenario-schema.ts';
import { combinationsOf, isObject, type Setting, withSettings } from './settings.ts';
import type { Target } from './target.ts';
import { parseYaml } from './yaml-file.ts';

/** A scenario as it is written, its settings made. What it says of several migrations lies apart. */
export interface Scenario {
  readonly name: string;
  /** Where the paths in it begin. Without a file it cannot name other files. */
  readonly file?: string | undefined;
  readonly base: Readonly<Record<string, unknown>>;
  readonly compare: unknown;
  readonly sweep: unknown;
  readonly stress: unknown;
}

/** The same with its file and what is in it. */
export interface ScenarioFile extends Scenario {
  readonly file: string;
  readonly text: string;
}

/** One cell of a scenario's matrix, everything resolved: what to run, all but the seed of each run. */
export interface ScenarioCell
  extends Omit<Required<MigrationSpec>, 'guest' | 'plan' | 'machine'>,
    Pick<MigrationSpec, 'machine'> {
  /** What tells it from other cells. */
  readonly settings: readonly Setting[];
  /** Neighbours of the same number share a link, and run at the same time. */
  readonly fleet: number;
  readonly guest: Omit<GuestSpec, 'seed'>;
  readonly plan: Omit<Plan, 'seed'>;
  /** null: the link is its own. */
  readonly share: LinkShare | null;
}

/** A scenario with all cells of its matrix, to be carried out. */
export interface Experiment {
  readonly name: string;
  readonly describe: string;
  readonly runs: number;
  readonly seed: number;
  /** What a plan is to keep, if the scenario says so. */
  readonly target?: Target | undefined;
  /** Each cell of the matrix, or where its guests share a link, each of them. */
  readonly cells: readonly ScenarioCell[];
}

/** @throws Failure it cannot be read. @throws UsageError it is not a scenario at all. */
export function readScenario(file: string, settings: readonly Setting[] = []): ScenarioFile {
  const text = readText(file);
  const name = basename(file).replace(/\.ya?ml$/, '');
  return { ...scenarioOf(parseYaml(text, file), { name, file }, settings), file, text };
}

/** @throws UsageError it is not a scenario at all */
export function scenarioOf(
  document: unknown,
  { name, file }: Pick<Scenario, 'name' | 'file'>,
  settings: readonly Setting[] = [],
): Scenario {
  const whole: unknown = withSettings(document, settings);
  if (!isObject(whole)) throw usageError(file ?? name, 'a scenario', whole);
  insistOnKind('a scenario', whole, file ?? name);
  const { compare, sweep, stress, ...base } = whole;
  return { name, file, base, compare, sweep, stress };
}

/**
 * Reads a scenario file, makes the settings, expands its matrix and resolves every cell.
 * @throws Failure the file, or one that it names, cannot be read
 * @throws UsageError all that is wrong with its contents
 */
export function loadExperiment(file: string, settings: readonly Setting[] = []): Experiment {
  const scenario = readScenario(file, settings);
  return locating(file, scenario.text, () => experimentOf(scenario));
}

/** The same of a scenario that is there already. @throws Failure, UsageError as `loadExperiment` */
export function experimentOf(scenario: Scenario): Experiment {
  const problems = new Map<string, Problem>();
  const matrix = combinationsOf(scenario.compare);
  const cells = matrix.flatMap((settings, fleet) => {
    try {
      return cellsOf(scenario, settings, fleet);
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      for (const problem of cause.problems) problems.set(JSON.stringify(problem), problem);
      return [];
    }
  });
  if (problems.size > 0) throw new UsageError([...problems.values()]);
  const { describe, runs, seed, target } = checked(
    scenarioSchema,
    withSettings(scenario.base, matrix[0]!),
    'scenario',
  );
  insistOnSeeds(seed, runs * largestFleet(cells));
  return { name: scenario.name, describe, runs, seed, target, cells };
}

/** The same experiment, for which virtual time and the model add the costs of a machine. */
export function onMachine(experiment: Experiment, machine: PredictedMachine | undefined): Experiment {
  if (!machine) return experiment;
  return { ...experiment, cells: experiment.cells.map((cell) => ({ ...cell, machine })) };
}

/** Each guest of each run has a seed of its own, and above 2^53 two seeds would be one number. */
function insistOnSeeds(seed: number, count: number): void {
  const most = Number.MAX_SAFE_INTEGER - (count - 1);
  insisting((insist) =>
    insist(seed <= most, 'seed', `a whole number from 0 to ${most}, as seeds count up to 2^53 − 1`, seed),
  );
}

function largestFleet(cells: readonly ScenarioCell[]): number {
  const sizes = new Map<number, number>();
  for (const { fleet } of cells) sizes.set(fleet, (sizes.get(fleet) ?? 0) + 1);
  return Math.max(...sizes.values());
}

/**
 * What one combination of settings comes to: a cell, or where a fleet shares the link, one for each of its guests, whose
 * settings say which guest it is.
 * @throws UsageError all that is wrong with it
 */
export function cellsOf(
  { base, file }: Pick<Scenario, 'base' | 'file'>,
  settings: readonly Setting[],
  fleet = 0,
): readonly ScenarioCell[] {
  const raw = withSettings(base, settings);
  const document = checked(scenarioSchema, raw, 'scenario', [], ofOtherParts);
  if (!document.fleet) return [{ settings, fleet, ...resolveScenario(document, file) }];
  return placesOf(document.fleet).map(({ place, set }) => {
    const own = Object.entries(set).map(([path, value]) => ({ path, value }));
    const named = [...own, { path: 'guest.name', value: place.name }];
    const member = checked(scenarioSchema, withSettings(raw, named), 'scenario');
    return {
      settings: [...settings, { path: 'fleet', value: place.name }],
      fleet,
      ...resolveScenario(member, file, place),
    };
  });
}

/** What a world is given of a cell for one run: everything in it that is random comes from this seed. */
export function seeded(
  cell: Omit<ScenarioCell, 'settings' | 'fleet' | 'share'>,
  seed: number,
): MigrationSpec {
  const {
    guest,
    plan,
    cpu,
    antagonists,
    linkCapacityBytesPerSecond,
    linkLatencyNs,
    deltas,
    native,
    machine,
  } = cell;
  return {
    guest: { ...guest, seed },
    plan: { ...plan, seed },
    ...{ cpu, antagonists, linkCapacityBytesPerSecond, linkLatencyNs, deltas, native, machine },
  };
}

/** What lies beside a scenario in its file, by its keys. */
const otherParts: Readonly<Record<string, readonly string[]>> = {
  sweep: ['grid', 'hypercube', 'list', 'until'],
  stress: ['ramp', 'thresholds'],
};

function ofOtherParts(key: string): string | undefined {
  const part = Object.keys(otherParts).find((one) => otherParts[one]!.includes(key));
  return part && `${part}.${key}`;
}

/** The change that holds to the end. */
function lastOf<Change extends { readonly atNs: number }>(changes: readonly Change[]): Change | undefined {
  return changes.toSorted((one, other) => one.atNs - other.atNs).at(-1);
}

/** The document in the terms of the worlds; what the schema alone could not check is checked here. */
function resolveScenario(
  document: ScenarioDocument,
  file: string | undefined,
  place?: Place,
): Omit<ScenarioCell, 'settings' | 'fleet'> {
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
    const last = lastOf(link.changes)?.capacityBytesPerSecond;
    const ends = last !== 0 || plan.timeoutNs !== null;
    insist(ends, 'link.changes', 'an end of the outage, or a migration.timeout', '0 to the end');
    const linkCapacityBytesPerSecond = link.capacity ?? Number.POSITIVE_INFINITY;
    const capacity = { linkCapacityBytesPerSecond, linkLatencyNs: link.latency };
    const machine = { deltas: vm.delta, native };
    return { guest, cpu, antagonists, ...capacity, ...machine, plan, share };
  });
}
