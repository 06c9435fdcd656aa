import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type RecordingHeader, recordingHeader } from '../observe/recording-file.ts';
import { shown, UsageError } from '../platform/problem.ts';
import type { Experiment, ScenarioCell } from '../scenario/scenario.ts';
import type { Setting } from '../scenario/settings.ts';
import { experimentOfProgram, fromPhases, type Phases } from '../study/recorded-program.ts';
import { recordTo } from './record.ts';
import { type RecordingOptions, recordNow, watchOf } from './recording.ts';

/** What only matters with --pid. */
export type ProgramOptions = Partial<RecordingOptions> & { readonly out?: string };

/** Somebody waits for the answer. */
const DEFAULT_FOR = '20s';
const DEFAULT_INTERVAL = '40ms';

/** @throws UsageError an option that says how to record, but not what */
export function insistOnNoRecording({ for: time, interval, out }: ProgramOptions): void {
  const given = Object.entries({ '--for': time, '--interval': interval, '--out': out });
  const problems = given.flatMap(([path, value]) =>
    value === undefined ? [] : [{ path, expected: 'to be used together with --pid N', found: shown(value) }],
  );
  if (problems.length > 0) throw new UsageError(problems);
}

/**
 * Records a running program and hands its scenario to `answer`. The recording is kept where --out says, otherwise only
 * until the answer is there.
 * @throws Failure it cannot be recorded @throws UsageError what is wrong with the scenario, before anything is recorded
 */
export async function recordForScenario<T>(
  file: string | undefined,
  { set = [], ...options }: ProgramOptions & { readonly set?: readonly Setting[] },
  answer: (experiment: Experiment, virtual: VirtualAnswer, header: RecordingHeader) => T,
): Promise<T> {
  const watch = watchOf({
    ...options,
    for: options.for ?? DEFAULT_FOR,
    interval: options.interval ?? DEFAULT_INTERVAL,
  });
  experimentOfProgram(file, set);
  const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  try {
    const recording = resolve(options.out ?? join(folder, 'recording.ndjson.gz'));
    const recorded = await recordTo(recording, () => recordNow(watch));
    const { pageSizeBytes, numbers, samples } = recorded;
    const fresh = { file: recording, pages: numbers.pages, pageSizeBytes };
    const experiment = experimentOfProgram(file, set, fresh);
    const recordedNs = samples.at(-1)!.atNs;
    const virtual: VirtualAnswer = (cell) => fromPhases(cell, experiment.seed, recordedNs);
    return answer(experiment, virtual, recordingHeader(recorded));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What virtual time says of a cell on the recording. */
export type VirtualAnswer = (cell: ScenarioCell) => Phases;
