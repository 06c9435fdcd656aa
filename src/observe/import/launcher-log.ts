import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { linesIn } from './key-values.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

const MIB = 1024 * 1024;
const BITS_PER_MEGABIT = 1e6;
const PAGE_BYTES = 4096;

/**
 * Log of KubeVirt's virt-launcher (pkg/virt-launcher/virtwrap/live-migration-source.go, logMigrationInfo), which tells libvirt's
 * job in whole MiB while it goes on: `Migration info for UID: TimeElapsed:3000ms … MemoryRemaining:384MiB … Iteration:1 …`.
 * It has the downtime in place of the expected one once the migration has completed.
 */
export const launcherLog: Format = {
  name: 'virt-launcher log',
  recognises: (text) => /Migration info for \S{1,80}: TimeElapsed:\d/.test(text),
  read(text) {
    const samples: Sample[] = [];
    let [parameters, reason]: [Partial<Parameters>, string | null] = [{}, null];
    let isPostcopy = false;
    for (const line of linesIn(text)) {
      const values = valuesIn(line);
      if (values) {
        samples.push(sampleOf(values, isPostcopy));
        parameters = { ...parameters, ...guestOf(values) };
        continue;
      }
      isPostcopy ||= /starting post copy mode for migration/i.test(line);
      const limitMs = /max downtime (?:set )?to (\d{1,9})ms/.exec(line)?.[1];
      if (limitMs !== undefined)
        parameters = { ...parameters, downtimeLimitNs: Number(limitMs) * NANOS_PER_MILLISECOND };
      const end = endIn(line);
      const last = samples.at(-1);
      // What is said of it again says less.
      if (!end || !last || ENDED.has(last.status)) continue;
      reason = end.reason;
      samples.push({ ...nothingSaid, atNs: last.atNs, status: end.status });
    }
    return { samples, leftUnitBytes: MIB, parameters, reason };
  },
};

const ENDED = new Set<string | null>(['completed', 'failed', 'cancelled']);

type Values = ReadonlyMap<string, number>;

/** undefined: it is another line */
function valuesIn(line: string): Values | undefined {
  const [, figures] = /Migration info for \S{1,80}: (TimeElapsed:\d.{0,800})/.exec(line) ?? [];
  if (figures === undefined) return undefined;
  return new Map(
    [...figures.matchAll(/(\w{1,40}):(\d{1,15})/g)].map(([, key, value]) => [key!, Number(value)]),
  );
}

function sampleOf(values: Values, isPostcopy: boolean): Sample {
  const at = (key: string, unit = 1) => {
    const value = values.get(key);
    return value === undefined ? null : value * unit;
  };
  const [normal, constant] = [at('NormalPages'), at('ConstantPages')];
  const downtimeNs = at('Downtime', NANOS_PER_MILLISECOND);
  return {
    ...nothingSaid,
    atNs: at('TimeElapsed', NANOS_PER_MILLISECOND)!,
    status: downtimeNs !== null ? 'completed' : isPostcopy ? 'postcopy-active' : 'active',
    leftBytes: at('MemoryRemaining', MIB),
    sentBytes: at('MemoryProcessed', MIB),
    sentPages: normal === null ? null : normal + (constant ?? 0),
    zeroPages: constant,
    syncs: at('Iteration'),
    dirtyPagesPerSecond: at('DirtyRate', BITS_PER_MEGABIT / 8 / PAGE_BYTES),
    rateBytesPerSecond: at('MemoryBandwidth', BITS_PER_MEGABIT / 8),
    expectedDowntimeNs: at('ExpectedDowntime', NANOS_PER_MILLISECOND),
    downtimeNs,
    postcopyRequests: at('PostcopyRequests'),
  };
}

function guestOf(values: Values): Partial<Parameters> {
  const total = values.get('MemoryTotal');
  return total ? { totalBytes: total * MIB } : {};
}

/** How it ended, where that is said. */
function endIn(line: string): { readonly status: string; readonly reason: string | null } | undefined {
  if (/Live migration succeeded|migration completed successfully/.test(line))
    return { status: 'completed', reason: null };
  const [, failure] = /migration failed with error: (.{1,300})/.exec(line) ?? [];
  if (failure !== undefined) return { status: 'failed', reason: failure };
  const [aborted] =
    /Live migration (?:stuck|is not completed).{1,200}|Migration aborted: .{1,300}/.exec(line) ?? [];
  if (aborted !== undefined) return { status: 'cancelled', reason: aborted };
  if (/live migration abort succeeded/.test(line)) return { status: 'cancelled', reason: null };
  return /Live migration failed/.test(line) ? { status: 'failed', reason: null } : undefined;
}
