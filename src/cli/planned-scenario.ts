import type { Command } from 'commander';
import { readLogs } from '../observe/import/read-logs.ts';
import { writtenThroughout } from '../observe/written-throughout.ts';
import { Failure } from '../platform/failure.ts';
import { usageError } from '../platform/problem.ts';
import { fitObservation } from '../run/import/fit-observation.ts';
import { importReport } from '../run/import/import-report.ts';
import { insisting } from '../scenario/checked.ts';
import { readScenario, type Scenario, type ScenarioFile } from '../scenario/scenario.ts';
import type { Setting } from '../scenario/settings.ts';
import {
  anyGuest,
  type FoundGuest,
  type Surroundings,
  scenarioAround,
  withRecordedGuest,
} from './found-guest.ts';
import { watchOfProgram } from './predict-program.ts';
import { watchOf } from './recording.ts';

/** Where the guest of a plan is found, if its scenario does not describe it. */
export interface PlannedGuestOptions {
  readonly from?: readonly string[];
  readonly qmp?: string;
  readonly rehearse?: string;
  readonly pid?: string;
  readonly for?: string;
  readonly interval?: string;
  readonly out?: string;
  readonly quiet?: boolean;
}

export function addPlannedGuestOptions(command: Command): Command {
  return command
    .option('--from <file...>', 'plan for the machine whose migration these logs tell of')
    .option('--qmp <socket>', 'plan for the VM of this monitor of QEMU, which measures its dirty rate')
    .option(
      '--rehearse <time>',
      'with --qmp, find its dirty pages by a migration that is begun, read for so long and cancelled (QEMU 8.2)',
    )
    .option('--pid <n>', 'plan for a running process as the guest: its page writes are recorded first')
    .option('--for <time>', 'with --pid, how long to record (default: 20s)')
    .option('--interval <time>', 'with --pid, the time between two samples (default: 40ms)');
}

/** What a scenario says is used as it is; whatever else is known of the guest is left out. */
type Use<Answer> = (scenario: Scenario | ScenarioFile, leftOut: readonly string[]) => Promise<Answer>;

/**
 * The scenario that is planned: a file's, or with a guest that is found elsewhere, in this file's place of one.
 * @param check what is wrong with the scenario is said before anything is measured
 * @throws UsageError, Failure it cannot be read, measured or recorded
 */
export async function withPlannedScenario<Answer>(
  file: string | undefined,
  set: readonly Setting[],
  options: PlannedGuestOptions,
  check: (scenario: Scenario) => void,
  use: Use<Answer>,
): Promise<Answer> {
  insistOnOneGuest(file, options);
  const { from, qmp, rehearse, pid, out, quiet } = options;
  const around = (name: string, flag: string): Surroundings => ({ file, set, plain: {}, name, flag });
  if (from !== undefined) return ofLogs(from, around('observed', '--from'), use);
  if (pid === undefined && qmp === undefined) return use(readScenario(file!, set), []);
  const surroundings = around(
    pid === undefined ? 'running machine' : 'running program',
    pid === undefined ? '--qmp' : '--pid',
  );
  const watch =
    pid !== undefined
      ? watchOfProgram(options)
      : rehearse !== undefined && watchOf({ qmp: qmp!, for: rehearse, quiet: quiet === true });
  check(scenarioAround(anyGuest, surroundings));
  if (!watch) return use(scenarioAround(await sampledGuest(qmp!), surroundings), [ONLY_SAMPLED]);
  const kept = out?.replace(/(\.ya?ml)?$/, '.ndjson.gz');
  const leftOut = pid === undefined ? [ZERO_PAGES] : [];
  return withRecordedGuest(
    watch,
    kept,
    (guest) => use(scenarioAround(guest, surroundings), leftOut),
    writtenThroughout,
  );
}

const ZERO_PAGES = 'pages of zeros, which are sent as a header: every page is taken to hold something';
const ONLY_SAMPLED =
  'which pages are hot, and what is written within less than 1 s: only how many different pages are dirtied in 1, 2 and 5 s (--rehearse tells more)';

/** @throws UsageError no guest, or more than one; an option of another one */
function insistOnOneGuest(file: string | undefined, options: PlannedGuestOptions): void {
  const { from, qmp, pid, rehearse, for: time, interval } = options;
  const found = Object.entries({ '--from': from, '--qmp': qmp, '--pid': pid }).filter(
    ([, value]) => value !== undefined,
  );
  if (file === undefined && found.length === 0)
    throw usageError('file', 'a scenario, --pid N, --from FILE or --qmp SOCKET', file);
  insisting((insist) => {
    insist(found.length < 2, found[1]?.[0] ?? '', 'only one of --from, --qmp and --pid', found[1]?.[1]);
    const isWith = 'to be used together with';
    insist(rehearse === undefined || qmp !== undefined, '--rehearse', `${isWith} --qmp SOCKET`, rehearse);
    for (const [flag, value] of Object.entries({ '--for': time, '--interval': interval }))
      insist(value === undefined || pid !== undefined, flag, `${isWith} --pid N`, value);
  });
}

/** A machine as its logs tell of it. What ended its migration is for a plan to choose. */
function ofLogs<Answer>(
  files: readonly string[],
  surroundings: Surroundings,
  use: Use<Answer>,
): Promise<Answer> {
  const { scenario, leftOut } = importReport(readLogs(files));
  if (!scenario) throw new Failure(leftOut.find((one) => one.startsWith('no scenario'))!);
  const { guest, link, migration } = scenario;
  const { order, clear } = migration;
  const plain = { link, migration: { order, clear } };
  return use(scenarioAround({ guest: { ...guest } }, { ...surroundings, plain }), leftOut);
}

/** A machine that samples its own pages. */
async function sampledGuest(socket: string): Promise<FoundGuest> {
  // What speaks to QEMU is loaded only here.
  const { measureMachine } = await import('../run/prediction/measure-machine.ts');
  const { observation, memoryBytes } = await measureMachine(socket);
  const parameters = { ...observation.parameters, totalBytes: memoryBytes };
  const fit = fitObservation({ ...observation, parameters }, { calmFromNs: null });
  const { pageSizeBytes: pageSize } = parameters;
  const pages = Math.round(memoryBytes / pageSize);
  const { kind, classes } = fit ?? { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] };
  return { guest: { pages, pageSize, program: { kind, classes } } };
}
