import type { Command } from 'commander';
import { stringify } from 'yaml';
import { formatSize } from '../core/units.ts';
import type { RecordingSummary } from '../observe/recorder.ts';
import { encodeRecording, recordingHeader } from '../observe/recording-file.ts';
import { PendingFile } from '../platform/pending-file.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { addDomainOption, type MonitorOptions, withMonitor } from './monitor-option.ts';
import { jsonOption, type OutputOptions, quietOption, wideOption, widthOf } from './output-options.ts';
import { type RecordingOptions, recordingNameOf, recordNow, watchOf } from './recording.ts';
import { print } from './standard-streams.ts';

interface Options extends RecordingOptions, OutputOptions, MonitorOptions {
  readonly out?: string;
}

/** `switchover record`: which pages a real program writes, as a guest's program. */
export function recordCommand(command: Command, exit: Exit): void {
  addDomainOption(
    command
      .option('--pid <n>', 'process to record; its memory is only read, and it is never stopped')
      .option('--file <ram>', "file that backs a virtual machine's memory")
      .option(
        '--qmp <socket>',
        'monitor of QEMU (8.2 or newer) that nobody else uses: a migration of its VM is begun, read and cancelled',
      ),
  )
    .option('--for <time>', 'how long to record', '60s')
    .option('--interval <time>', 'time between two samples (default: 40ms; with --qmp 100ms)')
    .option('--out <file>', 'file for the recording')
    .addOption(jsonOption())
    .addOption(wideOption())
    .addOption(quietOption())
    .action(async (options: Options) => exit(await action(options)));
}

async function action(options: Options): Promise<number> {
  const watch = watchOf(withMonitor(options));
  const file = options.out ?? recordingNameOf(watch);
  const recorded = await recordTo(file, () => recordNow(watch));
  const answer = () => ({ file, ...recordingHeader(recorded) });
  if (writeJson(options.json, answer)) {
    print(`${folded(summary(recorded, file), widthOf(options))}\n\n${guestOf(recorded, file)}`);
  }
  return 0;
}

/** The file is opened first, and there is none if the recording fails. */
export async function recordTo(
  file: string,
  take: () => Promise<RecordingSummary>,
): Promise<RecordingSummary> {
  const pending = new PendingFile(file);
  try {
    const recorded = await take();
    pending.write(encodeRecording(recorded));
    pending.keep();
    return recorded;
  } catch (cause) {
    pending.drop();
    throw cause;
  }
}

function summary(recorded: RecordingSummary, file: string): string {
  const { samples, numbers, pageSizeBytes, missedSamples, intervalNs } = recorded;
  const seconds = samples.at(-1)!.atNs / 1e9;
  const writes = samples.reduce((sum, { changed }) => sum + changed.length, 0);
  const touched = new Set(samples.flatMap(({ changed }) => [...changed])).size;
  const { scanMs, cpuShare, machineCpuShare } = recordingHeader(recorded);
  const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const machine = machineCpuShare === undefined ? '' : `, and ${percent(machineCpuShare)} by QEMU for it`;
  const notes = notesOf(recorded).map((note) => `  note         ${note}`);
  return [
    `${file}: ${samples.length} samples in ${seconds.toFixed(1)} s of ${recorded.source}`,
    `  pages        ${numbers.pages}, ${formatSize(numbers.pages * pageSizeBytes)}`,
    `  writes       at least ${Math.round(writes / seconds)} pages a second; ${touched} different pages`,
    `  sampling     ${scanMs.median} ms a scan (median), at most ${scanMs.most} ms; ${percent(cpuShare)} of a processor${machine}`,
    `  missed       ${missedSamples} of ${samples.length + missedSamples} samples, at one every ${intervalNs / 1e6} ms`,
    ...notes,
  ].join('\n');
}

/** To be put into a scenario. */
function guestOf({ numbers }: RecordingSummary, file: string): string {
  return stringify({ guest: { pages: numbers.pages, program: { kind: 'trace', file } } }).trimEnd();
}

function notesOf({ appearedPages, vanishedPages, failedReads, leftOut }: RecordingSummary): string[] {
  return [
    ...(appearedPages > 0
      ? [`${appearedPages} pages appeared during the recording; each counts as written then`]
      : []),
    ...(vanishedPages > 0 ? [`${vanishedPages} pages were freed before the end`] : []),
    ...(failedReads > 0 ? [`${failedReads} times a page could not be read`] : []),
    ...leftOut.map((what) => `left out: ${what}`),
  ];
}
