import type { Nanos } from '../core/units.ts';
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
import { spread } from './statistics/estimate.ts';

/** A recording that was just taken. */
export interface FreshRecording {
  /** Its absolute path. */
  readonly file: string;
  readonly pages: number;
  readonly pageSizeBytes: number;
}

/** QEMU's rule and its default limit: a number of rounds always ends, and would not tell whether it converges. */
const plain = { migration: { stop: { rule: 'downtime', limit: '300ms' } } };

const ofTheProgram = ['guest.program', 'guest.pages', 'guest.pageSize', 'guest.zeroPages'];

/**
 * A scenario whose guest is a program that runs here; without a file, a plain one.
 * @param recording none yet: only to see whether anything else is wrong with it
 * @throws Failure, UsageError as `loadExperiment`
 */
export function experimentOfProgram(
  file: string | undefined,
  settings: readonly Setting[],
  recording?: FreshRecording,
): Experiment {
  const program = recording
    ? { kind: 'trace', file: recording.file }
    : { kind: 'sequential', writesPerSecond: 1 };
  const made = [
    ...settings,
    { path: 'guest.program', value: program },
    { path: 'guest.pages', value: recording?.pages ?? 2 },
    { path: 'guest.pageSize', value: recording?.pageSizeBytes ?? 4096 },
    { path: 'guest.zeroPages', value: 0 },
  ];
  const scenario =
    file === undefined
      ? scenarioOf(plain, { name: 'running program', file: recording?.file }, made)
      : readScenario(file, made);
  insistOnOneGuest(scenario.compare, settings);
  return experimentOf(scenario);
}

/** @throws UsageError what is asked of a guest that is recorded is that it be another */
function insistOnOneGuest(compare: unknown, settings: readonly Setting[]): void {
  const varied = Object.keys(compare ?? {}).flatMap((key) => key.split(',').map((path) => path.trim()));
  const problems = [...settings.map(({ path }) => path), ...varied]
    .filter((path) => ofTheProgram.some((own) => path === own || path.startsWith(`${own}.`)))
    .map((path) => ({ path, expected: 'nothing, because --pid records the guest', found: 'a setting' }));
  if (problems.length > 0) throw new UsageError(problems);
}

/** Migrations of one program that began at several instants of its recording. */
export interface Phases {
  readonly migrations: number;
  readonly completed: number;
  /** The median, and where the middle 95 % lie; null if none was completed. */
  readonly downtimeNs: ReturnType<typeof spread> | null;
  readonly totalNs: ReturnType<typeof spread> | null;
}

const PHASES_MAX = 50;
const TIME_LIMIT_MS = 5_000;
/** The fractional part of k·φ: however many are taken, they are spread evenly (Knuth, TAOCP 3, §6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Migrates a recorded program in virtual time. A recording is the same in every run, so what varies is the instant of
 * the recording at which the migration begins: it is observed for longer before.
 */
export function fromPhases({ plan, ...cell }: ScenarioCell, seed: number, recordedNs: Nanos): Phases {
  const downtimes: Nanos[] = [];
  const totals: Nanos[] = [];
  let migrations = 0;
  const one = (index: number) => {
    const observeNs = Math.round(plan.observeNs + ((index * GOLDEN) % 1) * recordedNs);
    return migrateVirtually(seeded({ ...cell, plan: { ...plan, observeNs } }, seed));
  };
  for (const result of repeatedInTime(PHASES_MAX, TIME_LIMIT_MS, one)) {
    migrations++;
    if (result.outcome !== 'completed') continue;
    downtimes.push(result.downtimeNs);
    totals.push(result.totalNs);
  }
  const completed = downtimes.length;
  return {
    migrations,
    completed,
    downtimeNs: completed > 0 ? spread(downtimes) : null,
    totalNs: completed > 0 ? spread(totals) : null,
  };
}
