import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseDocument } from 'yaml';
import type { Antagonist } from '../core/antagonist.ts';
import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import { DEEPEST_BUCKET_BYTES } from '../core/link/bucket.ts';
import { orderPagesMax } from '../core/migration/order/orders.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { StopSpec } from '../core/migration/stop/stops.ts';
import {
  type Bytes,
  type BytesPerSecond,
  formatDuration,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../core/units.ts';
import { Failure, reasonOf } from '../worlds/failure.ts';
import { type GuestSpec, pagesNeeded } from '../worlds/guests/programs.ts';
import type { WorldSetup } from '../worlds/world.ts';
import { checked } from './checked.ts';
import { type Problem, shown, UsageError } from './problem.ts';
import { checkAntagonists, resolveAntagonists } from './scenario-background.ts';
import { checkCpu, resolveCpu } from './scenario-cpu.ts';
import { type LinkShare, type Place, placesOf, resolveShare } from './scenario-fleet.ts';
import { resolveProgram } from './scenario-program.ts';
import { type ScenarioDocument, scenarioSchema } from './scenario-schema.ts';
import { type Cell, cellsOf, type Setting, withSettings } from './settings.ts';

/** One cell of a scenario, everything resolved: what to run, all but the seed of each run. */
export interface Scenario {
  readonly guest: Omit<GuestSpec, 'seed'>;
  readonly plan: Omit<Plan, 'seed'>;
  readonly cpu: CpuPlan;
  readonly antagonists: readonly Antagonist[];
  readonly linkCapacityBytesPerSecond: BytesPerSecond;
  /** null: the link is its own. */
  readonly share: LinkShare | null;
}

/** The scenario of one run: everything in it that is random comes from this seed. */
export function seeded({ guest, plan, share: _, ...rest }: Scenario, seed: number): WorldSetup {
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

/** A scenario as it is written, its settings made. What it says of several migrations lies apart. */
export interface WrittenScenario {
  readonly file: string;
  readonly name: string;
  readonly base: Readonly<Record<string, unknown>>;
  readonly compare: unknown;
  readonly sweep: unknown;
  readonly stress: unknown;
}

/** The same with the text of its file. */
export interface ScenarioFile extends WrittenScenario {
  readonly text: string;
}

/** @throws Failure it cannot be read. @throws UsageError it is not a scenario at all. */
export function readScenario(file: string, settings: readonly Setting[] = []): ScenarioFile {
  const text = readText(file);
  return { ...scenarioOf(parseYaml(text, file), file, settings), text };
}

/** A scenario file without settings. @throws Failure, UsageError as `readScenario` */
export function readDocument(file: string): unknown {
  return parseYaml(readText(file), file);
}

/**
 * @param file where the document is from: gives it its name, and is where the paths in it begin
 * @throws UsageError it is not a scenario at all
 */
export function scenarioOf(
  document: unknown,
  file: string,
  settings: readonly Setting[] = [],
): WrittenScenario {
  const { compare, sweep, stress, ...base } = asObject(withSettings(document, settings), file);
  return { file, name: basename(file).replace(/\.ya?ml$/, ''), base, compare, sweep, stress };
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

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  }
}

function parseYaml(text: string, file: string): unknown {
  const document = parseDocument(text);
  const problems = document.errors.map((error) => ({
    path: `${file}:${error.linePos?.[0].line ?? 1}`,
    expected: 'YAML',
    found: reasonOf(error),
  }));
  if (problems.length > 0) throw new UsageError(problems);
  try {
    return document.toJS();
  } catch (cause) {
    // An alias without its anchor is only noticed here.
    throw new UsageError([{ path: file, expected: 'YAML', found: reasonOf(cause) }]);
  }
}

function asObject(document: unknown, file: string): Record<string, unknown> {
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new UsageError([{ path: file, expected: 'a scenario', found: shown(document) }]);
}

/** The document in the terms of the worlds; what the schema alone could not check is checked here. */
function resolveScenario(document: ScenarioDocument, file: string, place?: Place): Scenario {
  const { guest, link, migration } = document;
  const usedPages = guest.pages - guest.zeroPages;
  const program = resolveProgram(guest.program, usedPages, file);
  const pageBytes = guest.pageSize + link.overhead;
  const stopRate = link.stopRate === undefined ? link.rate : link.stopRate;
  const problems: Problem[] = [];
  const insist = (holds: boolean, path: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ path, expected, found: shown(found) });
  };
  const depth = link.depth ?? Math.max(defaultDepth(link.rate, stopRate), pageBytes);
  insist(depth >= pageBytes, 'link.depth', `room for a page and its header, ${pageBytes} bytes`, depth);
  const share = resolveShare(document, stopRate, place, insist);
  const needed = pagesNeeded(program);
  const where = guest.zeroPages === 0 ? 'guest.pages' : 'guest.pages − guest.zeroPages';
  insist(needed <= usedPages, where, `at least ${needed}, which the program uses`, usedPages);
  if (program.kind === 'stream') {
    const { cpuPerFrameNs, framePeriodNs } = program;
    const fits = cpuPerFrameNs <= framePeriodNs;
    insist(fits, 'guest.program.cpuPerFrame', 'at most the frame', formatDuration(cpuPerFrameNs));
  }
  const countsWrites = program.kind !== 'stream' && program.kind !== 'dirty-curve';
  insist(
    guest.cpuPerWrite === 0 || countsWrites,
    'guest.cpuPerWrite',
    program.kind === 'stream' ? '0: a stream has cpuPerFrame' : '0: a dirty-curve does not count writes',
    formatDuration(guest.cpuPerWrite),
  );
  const cpu = resolveCpu(document);
  checkCpu(cpu, insist);
  const antagonists = resolveAntagonists(document.background);
  checkAntagonists(antagonists, link.capacity, insist);
  const most = orderPagesMax[migration.order] ?? Number.POSITIVE_INFINITY;
  insist(guest.pages <= most, 'migration.order', `an order that takes ${guest.pages} pages`, migration.order);
  insist(!migration.skip || migration.clear !== 'page', 'migration.skip', 'false when clear is page', true);
  if (problems.length > 0) throw new UsageError(problems);
  const { defer } = migration;
  return {
    share,
    guest: {
      name: guest.name,
      pages: guest.pages,
      zeroPages: guest.zeroPages,
      pageSizeBytes: guest.pageSize,
      program,
      heartbeatPeriodNs: program.kind === 'stream' ? program.framePeriodNs : guest.heartbeat,
      cpuPerWriteNs: guest.cpuPerWrite,
    },
    cpu,
    antagonists,
    linkCapacityBytesPerSecond: link.capacity ?? Number.POSITIVE_INFINITY,
    plan: {
      pages: guest.pages,
      pageBytes,
      order: migration.order,
      heat: migration.heat,
      defer: defer
        ? { ...(defer.count === undefined ? { threshold: defer.threshold! } : { count: defer.count }) }
        : null,
      clear: migration.clear,
      skip: migration.skip,
      stop: migration.stop,
      timeoutNs: migration.timeout ?? defaultTimeout(migration.stop, guest.pages * pageBytes, link.rate),
      stopTimeoutNs: migration.stopTimeout ?? defaultStopTimeout(guest.pages * pageBytes, stopRate),
      rateBytesPerSecond: link.rate,
      stopRateBytesPerSecond: stopRate,
      depthBytes: depth,
      observeNs: migration.observe,
      windowNs: defer?.window ?? migration.window,
      halfLifeNs: migration.halfLife,
      verify: migration.verify,
    },
  };
}

const SHALLOWEST_DEFAULT_BYTES = 64 * 1024;
const COVERED_LATENESS_NS = 10 * NANOS_PER_MILLISECOND;

/** A bucket deep enough that a sender that wakes 10 ms late loses nothing of its rate. */
function defaultDepth(...rates: readonly (BytesPerSecond | null)[]): Bytes {
  const fastest = Math.max(...rates.map((rate) => rate ?? 0));
  const covering = Math.ceil((fastest * COVERED_LATENESS_NS) / NANOS_PER_SECOND);
  return Math.min(Math.max(covering, SHALLOWEST_DEFAULT_BYTES), DEEPEST_BUCKET_BYTES);
}

const STOP_COPIES = 10;
const SHORTEST_STOP_TIMEOUT_NS = 30 * NANOS_PER_SECOND;

/** A guest that stands for ten times what all its memory takes at b_d stands because something is wrong. */
function defaultStopTimeout(guestBytes: Bytes, stopRate: BytesPerSecond | null): Nanos {
  const copyNs = stopRate === null ? 0 : Math.ceil((guestBytes * NANOS_PER_SECOND) / stopRate);
  return Math.max(SHORTEST_STOP_TIMEOUT_NS, STOP_COPIES * copyNs);
}

const PATIENCE_COPIES = 30;
const UNPACED_PATIENCE_NS = 600 * NANOS_PER_SECOND;

/** A number of rounds ends by itself; any other rule may have as long as 30 copies of the whole memory take. */
function defaultTimeout(stop: StopSpec, guestBytes: Bytes, rate: BytesPerSecond | null): Nanos | null {
  if (stop.rule === 'rounds') return null;
  return rate === null
    ? UNPACED_PATIENCE_NS
    : Math.ceil((PATIENCE_COPIES * guestBytes * NANOS_PER_SECOND) / rate);
}
