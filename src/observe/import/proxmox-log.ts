import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { linesIn, numberIn, sizeIn } from './key-values.ts';
import { type Format, nothingSaid, type Parameters, type Sample } from './observation.ts';

const PAGE_BYTES = 4096;

/**
 * Task logs of Proxmox VE (PVE/QemuMigrate.pm, phase2): `2026-01-02 03:04:05 migration active, transferred 3.3 GiB of 12.6 GiB
 * VM-state, 823.0 MiB/s`, and before 7.0 `migration status: active (transferred 1234, remaining 123), total 1357)`. A log
 * says what was sent, but since 7.0 not what is left.
 */
export const proxmoxLog: Format = {
  name: 'Proxmox task log',
  recognises: (text) =>
    /migration (?:active|device|status: (?:active|completed|failed|cancelled)|status error|finished)|start migrate command to|average migration speed/.test(
      text,
    ),
  read(text) {
    const lines = linesIn(text);
    const samples: Sample[] = [];
    let startedAt: number | null = null;
    let [parameters, reason]: [Partial<Parameters>, string | null] = [{}, null];
    let downtimeNs: Nanos | null = null;
    let timeless = 0;
    for (const line of lines.map((one) => one.trimStart())) {
      const at = instantIn(line);
      if (at !== null && /start migrate command to/.test(line)) {
        [startedAt, reason] = [at, null];
        samples.push({ ...nothingSaid, atNs: 0, status: 'setup', sentBytes: 0 });
      }
      // What follows the first error says less.
      reason ??= errorIn(line);
      downtimeNs = numberIn(/downtime (\d{1,12}) ms/.exec(line)?.[1], NANOS_PER_MILLISECOND) ?? downtimeNs;
      parameters = { ...parameters, ...parametersIn(line) };
      const told = sampleIn(line);
      if (!told) continue;
      startedAt ??= at;
      if (at === null || startedAt === null) timeless += 1;
      else samples.push({ ...told, atNs: (at - startedAt) * NANOS_PER_MILLISECOND, downtimeNs });
    }
    return {
      samples,
      parameters,
      reason,
      missing: [
        timeless > 0 ? `${timeless} lines without a time` : [],
        samples.length === 0 || samples.some(({ status }) => status === 'setup')
          ? []
          : 'when it began: the log begins later',
      ].flat(),
    };
  },
};

/** Milliseconds since 1970, in whatever time zone the log is. */
function instantIn(line: string): number | null {
  const [, date, time] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/.exec(line) ?? [];
  const at = date === undefined ? Number.NaN : Date.parse(`${date}T${time}Z`);
  return Number.isFinite(at) ? at : null;
}

type Told = Omit<Sample, 'atNs' | 'downtimeNs'>;

function sampleIn(line: string): Told | null {
  const [, status, sent, rate] =
    /migration (active|device), transferred ([\d.]+ \w+) of [\d.]+ \w+ VM-state, ([\d.]+ \w+)\/s/.exec(
      line,
    ) ?? [];
  if (sent !== undefined) {
    const dirty = sizeIn(/VM dirties lots of memory: ([\d.]+ \w+)\/s/.exec(line)?.[1]);
    return {
      ...nothingSaid,
      status: status!,
      sentBytes: sizeIn(sent),
      rateBytesPerSecond: sizeIn(rate),
      dirtyPagesPerSecond: dirty === null ? null : dirty / PAGE_BYTES,
    };
  }
  const [, transferred, remaining] =
    /status: active \(transferred (\d{1,20}), remaining (\d{1,20})\)/.exec(line) ?? [];
  if (transferred !== undefined) {
    return { ...nothingSaid, status: 'active', sentBytes: Number(transferred), leftBytes: Number(remaining) };
  }
  const [, all] = /migration completed, transferred ([\d.]+ \w+) VM-state/.exec(line) ?? [];
  if (all !== undefined) return { ...nothingSaid, status: 'completed', sentBytes: sizeIn(all) };
  const [, ended] = /migration status(?: error)?: (completed|failed|cancelled)/.exec(line) ?? [];
  if (ended !== undefined) return { ...nothingSaid, status: ended };
  return /ERROR: (?:online migrate failure|migration aborted)/.test(line)
    ? { ...nothingSaid, status: 'failed' }
    : null;
}

function parametersIn(line: string): Partial<Parameters> {
  const total = sizeIn(/transferred [\d.]+ \w+ of ([\d.]+ \w+) VM-state/.exec(line)?.[1]);
  const old = numberIn(/remaining \d{1,20}\), total (\d{1,20})/.exec(line)?.[1]);
  const limitNs = numberIn(
    /(?:migration downtime limit|auto-increased downtime to continue migration): (\d{1,12}) ms/.exec(
      line,
    )?.[1],
    NANOS_PER_MILLISECOND,
  );
  const speed = sizeIn(/migration speed limit: ([\d.]+ \w+)\/s/.exec(line)?.[1]);
  return {
    ...(total || old ? { totalBytes: total || old } : {}),
    ...(limitNs ? { downtimeLimitNs: limitNs } : {}),
    ...(speed ? { maxBandwidthBytesPerSecond: speed } : {}),
  };
}

function errorIn(line: string): string | null {
  return /(?:\bERROR:|migration status error: (?:failed|cancelled) -) (.{1,300})/.exec(line)?.[1] ?? null;
}
