import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { recordingHeader } from '../observe/recording-file.ts';
import { orFailure } from '../platform/failure.ts';
import { UsageError } from '../platform/problem.ts';
import { migrateVirtually, repeatedInTime } from '../run/ensemble.ts';
import {
  type Experiment,
  experimentOf,
  readScenario,
  type ScenarioCell,
  scenarioOf,
  seeded,
} from '../scenario/scenario.ts';
import type { Setting } from '../scenario/settings.ts';
import { spread } from '../study/statistics/estimate.ts';
import { recordTo } from './record.ts';
import { type RecordingOptions, recordNow, watchOf } from './recording.ts';

/** Options that only matter with --pid. */
export type ProgramOptions = Partial<RecordingOptions> & { readonly out?: string };

/** Shorter than those of `record`, because somebody waits for the answer. */
const DEFAULT_FOR = '20s';
const DEFAULT_INTERVAL = '40ms';

export type RecordedProgram = Awaited<ReturnType<typeof recordForScenario>>;

/**
 * Records a running program as the guest of a scenario. The recording is kept only where --out says.
 * @throws Failure it cannot be recorded @throws UsageError what is wrong with the scenario, before anything is recorded
 */
export async function recordForScenario(
  file: string | undefined,
  { set = [], ...options }: ProgramOptions & { readonly set?: readonly Setting[] },
) {
  const watch = watchOf({
    ...options,
    for: options.for ?? DEFAULT_FOR,
    interval: options.interval ?? DEFAULT_INTERVAL,
  });
  // Any other program shows what else is wrong with the scenario.
  experimentWith({ pages: 2, program: { kind: 'sequential', writesPerSecond: 1 } }, { file, set });
  const folder = orFailure(`cannot write ${tmpdir()}`, () => mkdtempSync(join(tmpdir(), 'switchover-')));
  try {
    const recording = resolve(options.out ?? join(folder, 'recording.ndjson.gz'));
    const recorded = await recordTo(recording, () => recordNow(watch));
    const { pageSizeBytes: pageSize, numbers } = recorded;
    const guest = { pages: numbers.pages, pageSize, program: { kind: 'trace', file: recording } };
    return {
      experiment: experimentWith(guest, { file, set, recording }),
      header: recordingHeader(recorded),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** QEMU's rule and its default limit. A fixed number of rounds would always end, and not show whether it converges. */
const plain = { migration: { stop: { rule: 'downtime', limit: '300ms' } } };

/** The scenario of a file, or a plain one, with this guest. @throws Failure, UsageError as `loadExperiment` */
function experimentWith(
  guest: Readonly<Record<string, unknown>>,
  { file, set, recording }: { file: string | undefined; set: readonly Setting[]; recording?: string },
): Experiment {
  const ofTheGuest = Object.entries({ pageSize: 4096, ...guest, zeroPages: 0 });
  const paths = ofTheGuest.map(([key]) => `guest.${key}`);
  const made = [...set, ...ofTheGuest.map(([key, value]) => ({ path: `guest.${key}`, value }))];
  const scenario =
    file === undefined
      ? scenarioOf(plain, { name: 'running program', file: recording }, made)
      : readScenario(file, made);
  const varied = Object.keys(scenario.compare ?? {}).flatMap((key) =>
    key.split(',').map((path) => path.trim()),
  );
  const problems = [...set.map(({ path }) => path), ...varied]
    .filter((path) => paths.some((own) => path === own || path.startsWith(`${own}.`)))
    .map((path) => ({ path, expected: 'nothing, because --pid records the guest', found: 'a setting' }));
  if (problems.length > 0) throw new UsageError(problems);
  return experimentOf(scenario);
}

const STARTS_MAX = 50;
const TIME_LIMIT_MS = 5_000;

export type Starts = ReturnType<typeof fromStarts>;

/**
 * Migrates a recorded program in virtual time, each time with the next seed, and so from another instant of the recording.
 * @returns times as the median and the interval of the middle 95 %; null if no migration was completed
 */
export function fromStarts(cell: ScenarioCell, seed: number) {
  const results = [
    ...repeatedInTime(STARTS_MAX, TIME_LIMIT_MS, (index) => migrateVirtually(seeded(cell, seed + index))),
  ];
  const done = results.filter(({ outcome }) => outcome === 'completed');
  return {
    migrations: results.length,
    completed: done.length,
    downtimeNs: done.length > 0 ? spread(done.map(({ downtimeNs }) => downtimeNs)) : null,
    totalNs: done.length > 0 ? spread(done.map(({ totalNs }) => totalNs)) : null,
  };
}
