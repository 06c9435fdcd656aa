import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { linesIn, numberIn, sizeIn } from './key-values.ts';
import { type Dirtied, type DowntimePart, type Format, nothingSaid, type Sample } from './observation.ts';

const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;

interface Iteration {
  readonly number: number;
  readonly bytes: number;
  readonly sample: Sample;
}

/**
 * Lines of Cloud Hypervisor's log (vm-migration/src/context.rs, Display of MemoryMigrationContext), one an iteration after
 * its transfer: `iter=1 curr=512MiB total=2MiB bw=0.50MiB/s transfer=1.00s overhead=8ms est_downtime=500ms
 * elapsed=2.00s avg_bw=0.15MiB/s`. Iteration k sends what was dirtied in the one before, to the MiB above.
 */
export const cloudHypervisorLog: Format = {
  name: 'Cloud Hypervisor log',
  recognises: (text) => /\biter=\d+ curr=\d+MiB/.test(text) || PARTS.test(text),
  read(text) {
    const migrations = migrationsIn(linesIn(text));
    const most = migrations.reduce((longest, { iterations }) => Math.max(longest, iterations.length), 0);
    const { iterations, parts } = migrations.findLast((one) => one.iterations.length === most)!;
    const first = iterations.find(({ number }) => number === 0);
    const others = migrations.length - 1;
    return {
      samples: iterations.map(({ sample }) => sample),
      dirtied: iterations.flatMap((one, index) => dirtiedBefore(iterations, one, index) ?? []),
      parameters: first ? { totalBytes: first.bytes } : {},
      downtimeParts: parts,
      missing: [
        first || iterations.length === 0 ? [] : 'the first iterations: the log begins later',
        others > 0 ? `${others} other ${others === 1 ? 'migration' : 'migrations'} in the same file` : [],
      ].flat(),
    };
  },
};

interface OneMigration {
  readonly iterations: Iteration[];
  readonly parts: DowntimePart[];
}

/** A migration begins with an iteration that is not later than the last one. At least one. */
function migrationsIn(lines: readonly string[]): readonly OneMigration[] {
  const migrations: OneMigration[] = [{ iterations: [], parts: [] }];
  for (const line of lines) {
    const iteration = iterationOf(line);
    const last = migrations.at(-1)!.iterations.at(-1);
    if (iteration && last && iteration.number <= last.number) migrations.push({ iterations: [], parts: [] });
    if (iteration) migrations.at(-1)!.iterations.push(iteration);
    migrations.at(-1)!.parts.push(...partsOf(line));
  }
  return migrations;
}

function iterationOf(line: string): Iteration | null {
  const values = new Map(
    [...line.matchAll(/\b(\w+)=([\d.]+\w*(?:\/s)?)/g)].map(([, key, value]) => [key!, value!]),
  );
  const [number, bytes] = [numberIn(values.get('iter')), sizeIn(values.get('curr'))];
  const elapsedNs = numberIn(values.get('elapsed'), NANOS_PER_SECOND);
  if (number === null || bytes === null || elapsedNs === null) return null;
  return {
    number,
    bytes,
    sample: {
      ...nothingSaid,
      atNs: elapsedNs,
      status: 'active',
      // Of all that it knew to be dirty.
      leftBytes: 0,
      sentBytes: sizeIn(values.get('total')),
      syncs: number + 1,
      rateBytesPerSecond: sizeIn(values.get('bw')),
      expectedDowntimeNs: numberIn(values.get('est_downtime'), NANOS_PER_MILLISECOND),
    },
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
    before.number === 0 ? 0 : earlier?.number === number - 2 ? earlier.sample.atNs : undefined;
  if (sinceNs === undefined || before.sample.atNs <= sinceNs) return null;
  return {
    atNs: before.sample.atNs,
    exposureNs: before.sample.atNs - sinceNs,
    pages: { low: Math.max(0, bytes - MIB) / PAGE_BYTES, high: bytes / PAGE_BYTES },
    throttlePercent: 0,
  };
}

/** `298ms (final_iter: 269ms state: 7ms send_state: 19ms complete: 1ms)` */
const PARTS = /\((final_iter: ?[^)]{0,200})\)/;

function partsOf(line: string): readonly DowntimePart[] {
  const [, parts = ''] = PARTS.exec(line) ?? [];
  return [...parts.matchAll(/(\w+): ?([\d.]+)\s?ms/g)].map(([, name, milliseconds]) => ({
    name: name!,
    ns: Number(milliseconds) * NANOS_PER_MILLISECOND,
  }));
}
