import { basename } from 'node:path';
import { expected, formatDuration, NANOS_PER_MILLISECOND, parseDuration } from '../core/units.ts';
import { FileMemory } from '../observe/file-memory.ts';
import { ProcessMemory } from '../observe/process-memory.ts';
import { type RecordingSummary, type RecordOptions, record } from '../observe/recorder.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { domainOf } from '../qemu/domain-address.ts';
import { QEMU_PAGE_BYTES, QEMU_WINDOW_NS } from '../qemu/stream-layout.ts';
import { recordingDisplay } from './recording-display.ts';

/** Options of both `record` and `predict --pid`. */
export interface RecordingOptions {
  readonly pid?: string;
  readonly file?: string;
  readonly qmp?: string;
  readonly for: string;
  readonly interval?: string;
  readonly quiet?: boolean;
}

/** What to record, from checked options. */
export type Watch = ReturnType<typeof watchOf>;

type Target = { readonly pid: number } | { readonly file: string } | { readonly qmp: string };

/** QEMU looks no more often than once in a window of its own. */
const shortestIntervals = { other: NANOS_PER_MILLISECOND, qmp: QEMU_WINDOW_NS };
const defaultIntervals = { other: '40ms', qmp: '100ms' };
const LONGEST_NS = 24 * 3600e9;

/** @throws UsageError all that is wrong with them */
export function watchOf(options: RecordingOptions) {
  const problems: Problem[] = [];
  const forNs = parseDuration(options.for) ?? Number.NaN;
  const kind = options.qmp === undefined ? 'other' : 'qmp';
  const interval = options.interval ?? defaultIntervals[kind];
  const intervalNs = parseDuration(interval) ?? Number.NaN;
  const insist = (holds: boolean, path: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ path, expected, found: shown(found) });
  };
  insist(
    intervalNs >= shortestIntervals[kind],
    '--interval',
    `${expected.duration}, at least ${formatDuration(shortestIntervals[kind])}`,
    interval,
  );
  insist(forNs <= LONGEST_NS, '--for', `${expected.duration}, at most 24h`, options.for);
  insist(!(forNs < intervalNs), '--for', 'at least an interval', options.for);
  const target = targetOf(options, problems);
  if (problems.length > 0) throw new UsageError(problems);
  return { target: target!, forNs, intervalNs, quiet: options.quiet === true };
}

function targetOf({ pid, file, qmp }: RecordingOptions, problems: Problem[]): Target | undefined {
  const given = [pid, file, qmp].filter((target) => target !== undefined);
  const found = pid === undefined ? undefined : shown(pid);
  if (given.length !== 1) {
    const expected = 'one of --pid N, --file RAM, --qmp SOCKET and --domain NAME';
    problems.push({
      path: '--pid',
      expected,
      found: given.length === 0 ? 'none' : given.map(shown).join(', '),
    });
  } else if (file !== undefined) {
    return { file };
  } else if (qmp !== undefined) {
    return { qmp };
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
  const ended = new AbortController();
  const end = () => ended.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  const shownAs = (source: string, pageSizeBytes: number) =>
    quiet ? undefined : recordingDisplay(source, pageSizeBytes, options);
  try {
    return await recorded(target, options, ended.signal, shownAs);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

type Times = Pick<RecordOptions, 'forNs' | 'intervalNs'>;
type Show = (source: string, pageSizeBytes: number) => ReturnType<typeof recordingDisplay> | undefined;

async function recorded(
  target: Target,
  times: Times,
  signal: AbortSignal,
  show: Show,
): Promise<RecordingSummary> {
  if ('qmp' in target) {
    // What speaks to QEMU is loaded only here.
    const { recordRehearsal } = await import('../observe/rehearsed-recording.ts');
    const display = show(`the VM at ${target.qmp}`, QEMU_PAGE_BYTES);
    return recordRehearsal({ socket: target.qmp }, { ...times, signal, sampled: display?.sampled }).finally(
      () => display?.close(),
    );
  }
  const memory = 'pid' in target ? new ProcessMemory(target.pid) : new FileMemory(target.file);
  const display = show(memory.source, memory.pageSizeBytes);
  try {
    return await record(memory, { ...times, signal, sampled: display?.sampled });
  } finally {
    display?.close();
    memory.close();
  }
}

/** The file name of a recording for which none is given. */
export function recordingNameOf({ target }: Watch): string {
  if ('pid' in target) return `process-${target.pid}.ndjson.gz`;
  const where = 'qmp' in target ? (domainOf(target.qmp) ?? target.qmp) : target.file;
  return `${basename(where)}.ndjson.gz`;
}
