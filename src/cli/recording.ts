import { basename } from 'node:path';
import { expected, NANOS_PER_MILLISECOND, parseDuration } from '../core/units.ts';
import { FileMemory } from '../observe/file-memory.ts';
import { ProcessMemory } from '../observe/process-memory.ts';
import { type RecordingSummary, record } from '../observe/recorder.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { recordingDisplay } from './recording-display.ts';

/** Options of both `record` and `predict --pid`. */
export interface RecordingOptions {
  readonly pid?: string;
  readonly file?: string;
  readonly for: string;
  readonly interval: string;
  readonly quiet?: boolean;
}

/** What to record, from checked options. */
export type Watch = ReturnType<typeof watchOf>;

type Target = { readonly pid: number } | { readonly file: string };

const SHORTEST_INTERVAL_NS = NANOS_PER_MILLISECOND;
const LONGEST_NS = 24 * 3600e9;

/** @throws UsageError all that is wrong with them */
export function watchOf(options: RecordingOptions) {
  const problems: Problem[] = [];
  const forNs = parseDuration(options.for) ?? Number.NaN;
  const intervalNs = parseDuration(options.interval) ?? Number.NaN;
  const insist = (holds: boolean, path: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ path, expected, found: shown(found) });
  };
  insist(
    intervalNs >= SHORTEST_INTERVAL_NS,
    '--interval',
    `${expected.duration}, at least 1ms`,
    options.interval,
  );
  insist(forNs <= LONGEST_NS, '--for', `${expected.duration}, at most 24h`, options.for);
  insist(!(forNs < intervalNs), '--for', 'at least an interval', options.for);
  const target = targetOf(options, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return { target: target!, forNs, intervalNs, quiet: options.quiet === true };
}

function targetOf({ pid, file }: RecordingOptions, problems: Problem[]): Target | undefined {
  const found = pid === undefined ? undefined : shown(pid);
  if ((pid === undefined) === (file === undefined)) {
    problems.push({ path: '--pid', expected: 'either --pid N or --file RAM', found: found ?? 'neither' });
  } else if (file !== undefined) {
    return { file };
  } else if (/^[1-9]\d{0,9}$/.test(pid!) && Number(pid) !== process.pid) {
    return { pid: Number(pid) };
  } else {
    problems.push({ path: '--pid', expected: 'the number of another process', found: found! });
  }
  return undefined;
}

/**
 * Records until the time is up or somebody presses Ctrl-C, and shows its progress.
 * @throws Failure the memory cannot be read, or disappears before the time is up
 */
export async function recordNow({ target, quiet, ...options }: Watch): Promise<RecordingSummary> {
  const memory = 'pid' in target ? new ProcessMemory(target.pid) : new FileMemory(target.file);
  const ended = new AbortController();
  const end = () => ended.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  const display = quiet ? undefined : recordingDisplay(memory.source, memory.pageSizeBytes, options);
  try {
    return await record(memory, { ...options, signal: ended.signal, sampled: display?.sampled });
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
    display?.close();
    memory.close();
  }
}

/** The file name of a recording for which none is given. */
export function recordingNameOf({ target }: Watch): string {
  return `${'pid' in target ? `process-${target.pid}` : basename(target.file)}.ndjson.gz`;
}
