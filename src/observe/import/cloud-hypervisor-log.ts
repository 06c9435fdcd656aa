import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { linesIn, numberIn, sizeIn } from './key-values.ts';
import {
  type Dirtied,
  type DowntimePart,
  type Format,
  nothingSaid,
  type Parameters,
  type Sample,
} from './observation.ts';

const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;

/**
 * Cloud Hypervisor's log since version 52. Each iteration has a line after its transfer (vm-migration/src/context.rs, Display of
 * MemoryMigrationContext): `Precopy: iter=1 curr=512MiB total=2MiB bw=0.50MiB/s transfer=1.00s overhead=8ms
 * est_downtime=500ms elapsed=2.00s avg_bw=0.15MiB/s`. Iteration k sends what was dirtied in the one before, to the MiB above.
 * `Precopy converged` is what would be the next one, which the stop sends instead; `Precopy complete` is after that
 * (vmm/src/lib.rs, do_memory_migration). The end is `Migration completed after 8.0s with a downtime of 100ms (goal was 300ms)`.
 */
export const cloudHypervisorLog: Format = {
  name: 'Cloud Hypervisor log',
  recognises: (text) =>
    /\biter=\d+ curr=\d+MiB|\bMigration completed after [\d.]+s with a downtime/.test(text) ||
    PARTS.test(text),
  read(text) {
    const migrations = migrationsIn(linesIn(text));
    const most = migrations.reduce((longest, { samples }) => Math.max(longest, samples.length), 0);
    const { iterations, samples, parts, parameters, reason } = migrations.findLast(
      (one) => one.samples.length === most,
    )!;
    const first = iterations.find(({ number }) => number === 0);
    const others = migrations.length - 1;
    return {
      samples,
      dirtied: iterations.flatMap((one, index) => dirtiedBefore(iterations, one, index) ?? []),
      parameters: { ...parameters, ...(first && { totalBytes: first.bytes }) },
      reason,
      downtimeParts: parts,
      missing: [
        first || iterations.length === 0 ? [] : 'the first iterations: the log begins later',
        others > 0 ? `${others} other ${others === 1 ? 'migration' : 'migrations'} in the same file` : [],
      ].flat(),
    };
  },
};

/** What a transfer is to send, or has sent. */
interface Iteration {
  readonly number: number;
  readonly bytes: number;
  readonly atNs: Nanos;
}

interface OneMigration {
  readonly iterations: Iteration[];
  readonly samples: Sample[];
  readonly parts: DowntimePart[];
  parameters: Partial<Parameters>;
  reason: string | null;
}

/** A migration begins where it is asked for, or with an iteration that is not later than the last one. At least one. */
function migrationsIn(lines: readonly string[]): readonly OneMigration[] {
  const another = (): OneMigration => {
    return { iterations: [], samples: [], parts: [], parameters: {}, reason: null };
  };
  const migrations: OneMigration[] = [another()];
  for (const line of lines) {
    const iteration = iterationOf(line);
    const last = migrations.at(-1)!;
    const isRepeated = iteration && iteration.number <= (last.iterations.at(-1)?.number ?? -1);
    const isAsked = /Sending migration: .*downtime=\d/.test(line) && last.samples.length > 0;
    if (isRepeated || isAsked) migrations.push(another());
    take(migrations.at(-1)!, line, iteration);
  }
  return migrations;
}

function take(migration: OneMigration, line: string, iteration: Iteration | null): void {
  const { iterations, samples } = migration;
  if (iteration) {
    const isInStop = line.includes('complete: ');
    if (!isInStop) iterations.push(iteration);
    samples.push(sampleOf(line, iteration, isInStop));
  }
  migration.parts.push(...partsOf(line));
  const limit = numberIn(/(?:downtime=|goal was )(\d{1,12})ms/.exec(line)?.[1], NANOS_PER_MILLISECOND);
  if (limit && !iteration) migration.parameters = { downtimeLimitNs: limit };
  const [, seconds, downtime] =
    /Migration completed after ([\d.]{1,12})s with a downtime of (\d{1,12})ms/.exec(line) ?? [];
  const last = samples.at(-1);
  if (downtime !== undefined) {
    samples.push({
      ...nothingSaid,
      atNs: Math.max(last?.atNs ?? 0, Number(seconds) * NANOS_PER_SECOND),
      status: 'completed',
      sentBytes: last?.sentBytes ?? null,
      downtimeNs: Number(downtime) * NANOS_PER_MILLISECOND,
      downtimeBytes: last?.downtimeBytes ?? null,
    });
  }
  const [, failure] = /Migration failed: (.{1,300})/.exec(line) ?? [];
  if (failure !== undefined && last) samples.push({ ...nothingSaid, atNs: last.atNs, status: 'failed' });
  migration.reason ??= failure ?? /Precopy: (Pausing VM, ignoring .{1,200})/.exec(line)?.[1] ?? null;
}

type Figures = ReadonlyMap<string, string>;

function figuresIn(line: string): Figures {
  return new Map([...line.matchAll(/\b(\w+)=([\d.]+\w*(?:\/s)?)/g)].map(([, key, value]) => [key!, value!]));
}

function iterationOf(line: string): Iteration | null {
  if (!line.includes('iter=')) return null;
  const figures = figuresIn(line);
  const [number, bytes] = [numberIn(figures.get('iter')), sizeIn(figures.get('curr'))];
  const atNs = numberIn(figures.get('elapsed'), NANOS_PER_SECOND);
  return number === null || bytes === null || atNs === null ? null : { number, bytes, atNs };
}

function sampleOf(line: string, { number, bytes, atNs }: Iteration, isInStop: boolean): Sample {
  const figures = figuresIn(line);
  return {
    ...nothingSaid,
    atNs,
    status: 'active',
    // Of all that it knew to be dirty.
    leftBytes: line.includes('converged: ') ? bytes : 0,
    sentBytes: sizeIn(figures.get('total')),
    syncs: number + 1,
    rateBytesPerSecond: sizeIn(figures.get('bw')),
    expectedDowntimeNs: numberIn(figures.get('est_downtime'), NANOS_PER_MILLISECOND),
    downtimeBytes: isInStop ? bytes : null,
  };
}

/** While the iteration before it went on, which is known if the one before that is, or the migration began with it. */
function dirtiedBefore(
  iterations: readonly Iteration[],
  { number, bytes }: Iteration,
  index: number,
): Dirtied | null {
  const before = iterations[index - 1];
  if (number === 0 || before?.number !== number - 1) return null;
  const earlier = iterations[index - 2];
  const sinceNs: Nanos | undefined =
    before.number === 0 ? 0 : earlier?.number === number - 2 ? earlier.atNs : undefined;
  if (sinceNs === undefined || before.atNs <= sinceNs) return null;
  return {
    atNs: before.atNs,
    exposureNs: before.atNs - sinceNs,
    pages: { low: Math.max(0, bytes - MIB) / PAGE_BYTES, high: bytes / PAGE_BYTES },
    throttlePercent: 0,
  };
}

/** `298ms (final_iter:269ms state:7ms send_state:19ms complete:1ms)` */
const PARTS = /\((final_iter: ?[^)]{0,200})\)/;

function partsOf(line: string): readonly DowntimePart[] {
  const [, parts = ''] = PARTS.exec(line) ?? [];
  return [...parts.matchAll(/(\w+): ?([\d.]+)\s?ms/g)].map(([, name, milliseconds]) => ({
    name: name!,
    ns: Number(milliseconds) * NANOS_PER_MILLISECOND,
  }));
}
