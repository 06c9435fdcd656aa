import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RecordingSummary } from '../observe/recorder.ts';
import { recordingHeader } from '../observe/recording-file.ts';
import { orFailure } from '../platform/failure.ts';
import { UsageError } from '../platform/problem.ts';
import { readScenario, type Scenario, scenarioOf } from '../scenario/scenario.ts';
import type { Setting } from '../scenario/settings.ts';
import { recordTo } from './record.ts';
import { recordNow, type Watch } from './recording.ts';

/** A guest that no scenario describes, as a scenario's `guest` would. */
export interface FoundGuest {
  readonly guest: Readonly<Record<string, unknown>>;
  /** The file of its recording, where it has one. */
  readonly recording?: string;
}

/** Any program shows what is wrong with the rest of a scenario, before a guest is recorded. */
export const anyGuest: FoundGuest = {
  guest: { pages: 2, program: { kind: 'sequential', writesPerSecond: 1 } },
};

/** What there is besides the guest. */
export interface Surroundings {
  /** A scenario's file; undefined: `plain`. */
  readonly file: string | undefined;
  readonly set: readonly Setting[];
  readonly plain: Readonly<Record<string, unknown>>;
  readonly name: string;
  /** The option that says where the guest is found, and so may nobody else say what it is. */
  readonly flag: string;
}

/** The scenario of a file, or a plain one, with this guest. @throws Failure, UsageError as `readScenario` */
export function scenarioAround(
  { guest, recording }: FoundGuest,
  { file, set, plain, name, flag }: Surroundings,
): Scenario {
  const ofTheGuest = Object.entries({ pageSize: 4096, zeroPages: 0, ...guest });
  const paths = ofTheGuest.map(([key]) => `guest.${key}`);
  const made = [...set, ...ofTheGuest.map(([key, value]) => ({ path: `guest.${key}`, value }))];
  const scenario =
    file === undefined ? scenarioOf(plain, { name, file: recording }, made) : readScenario(file, made);
  const varied = Object.keys(scenario.compare ?? {}).flatMap((key) =>
    key.split(',').map((path) => path.trim()),
  );
  const problems = [...set.map(({ path }) => path), ...varied]
    .filter((path) => paths.some((own) => path === own || path.startsWith(`${own}.`)))
    .map((path) => ({
      path,
      expected: `nothing, because ${flag} says what the guest is`,
      found: 'a setting',
    }));
  if (problems.length > 0) throw new UsageError(problems);
  return scenario;
}

/**
 * Records a guest, for as long as it is used.
 * @param out the file in which its recording is kept; undefined: it is not
 * @param as what is made of it
 * @throws Failure it cannot be recorded
 */
export async function withRecordedGuest<Answer>(
  watch: Watch,
  out: string | undefined,
  use: (found: FoundGuest, header: ReturnType<typeof recordingHeader>) => Answer | Promise<Answer>,
  as: (recorded: RecordingSummary) => RecordingSummary = (recorded) => recorded,
): Promise<Answer> {
  const folder = orFailure(`cannot write ${tmpdir()}`, () => mkdtempSync(join(tmpdir(), 'switchover-')));
  try {
    const recording = resolve(out ?? join(folder, 'recording.ndjson.gz'));
    const recorded = await recordTo(recording, async () => as(await recordNow(watch)));
    const { pageSizeBytes: pageSize, numbers } = recorded;
    const guest = { pages: numbers.pages, pageSize, program: { kind: 'trace', file: recording } };
    return await use({ guest, recording }, recordingHeader(recorded));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
