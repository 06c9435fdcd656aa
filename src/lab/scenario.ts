import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseDocument } from 'yaml';
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
import { type Problem, shown, UsageError } from './problem.ts';
import { checkCpu, resolveCpu } from './scenario-cpu.ts';
import { resolveProgram } from './scenario-program.ts';
import { type ScenarioDocument, scenarioSchema } from './scenario-schema.ts';
import { type Cell, cellsOf, type Setting, withSettings } from './settings.ts';

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
  const document = withSettings(parseYaml(readText(file), file), settings);
  const { compare, ...base } = asObject(document, file);
  const cells = cellsOf(compare);
  const problems = new Map<string, Problem>();
  const resolved = cells.flatMap((cell) => {
    try {
      const document = checked(withSettings(base, cell.settings));
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
    name: basename(file).replace(/\.ya?ml$/, ''),
    describe,
    runs,
    seed,
    cells: resolved.map(({ cell, scenario }) => ({ cell, scenario })),
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

/** @throws UsageError every problem with its path. */
function checked(raw: unknown): ScenarioDocument {
  const parsed = scenarioSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key].join('.'),
        expected: 'no such key',
        found: shown(valueAt(raw, [...path, key])),
      }));
    }
    return [
      { path: path.join('.') || 'scenario', expected: issue.message, found: shown(valueAt(raw, path)) },
    ];
  });
  throw new UsageError(problems);
}

function valueAt(node: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], node);
}

/** The document in the terms of the worlds; what the schema alone could not check is checked here. */
function resolveScenario(document: ScenarioDocument, file: string): Scenario {
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
  const capacity = link.capacity ?? Number.POSITIVE_INFINITY;
  insist((link.rate ?? 0) <= capacity, 'link.rate', 'at most link.capacity', link.rate);
  insist((stopRate ?? 0) <= capacity, 'link.stopRate', 'at most link.capacity', stopRate);
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
  const most = orderPagesMax[migration.order] ?? Number.POSITIVE_INFINITY;
  insist(guest.pages <= most, 'migration.order', `an order that takes ${guest.pages} pages`, migration.order);
  insist(!migration.skip || migration.clear !== 'page', 'migration.skip', 'false when clear is page', true);
  if (problems.length > 0) throw new UsageError(problems);
  const { defer } = migration;
  return {
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
