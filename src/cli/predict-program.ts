import { migrateVirtually, repeatedInTime } from '../run/ensemble.ts';
import { experimentOf, type ScenarioCell, seeded } from '../scenario/scenario.ts';
import type { Setting } from '../scenario/settings.ts';
import { spread } from '../study/statistics/estimate.ts';
import { anyGuest, scenarioAround, withRecordedGuest } from './found-guest.ts';
import { type RecordingOptions, type Watch, watchOf } from './recording.ts';

/** Options that only matter with --pid. */
export type ProgramOptions = Partial<RecordingOptions> & { readonly out?: string };

/** Shorter than those of `record`, because somebody waits for the answer. */
const DEFAULT_FOR = '20s';
const DEFAULT_INTERVAL = '40ms';

/** What is to be recorded of it. @throws UsageError as `watchOf` */
export function watchOfProgram(options: ProgramOptions): Watch {
  return watchOf({
    ...options,
    for: options.for ?? DEFAULT_FOR,
    interval: options.interval ?? DEFAULT_INTERVAL,
  });
}

export type RecordedProgram = Awaited<ReturnType<typeof recordForScenario>>;

/**
 * Records a running program as the guest of a scenario. The recording is kept only where --out says.
 * @throws Failure it cannot be recorded @throws UsageError what is wrong with the scenario, before anything is recorded
 */
export async function recordForScenario(
  file: string | undefined,
  { set = [], ...options }: ProgramOptions & { readonly set?: readonly Setting[] },
) {
  const watch = watchOfProgram(options);
  const around = { file, set, plain, name: 'running program', flag: '--pid' };
  experimentOf(scenarioAround(anyGuest, around));
  return withRecordedGuest(watch, options.out, (guest, header) => ({
    experiment: experimentOf(scenarioAround(guest, around)),
    header,
  }));
}

/** QEMU's rule and its default limit. A fixed number of rounds would always end, and not show whether it converges. */
const plain = { migration: { stop: { rule: 'downtime', limit: '300ms' } } };

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
