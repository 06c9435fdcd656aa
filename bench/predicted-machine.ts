import { loadavg } from 'node:os';
import { formatDuration, formatSize, NANOS_PER_MILLISECOND } from '../src/core/units.ts';
import type { Quantiles } from '../src/model/predicted-end.ts';
import { measureMachine } from '../src/run/prediction/measure-machine.ts';
import { predictObservation, type ToldBesides } from '../src/run/prediction/predict-observation.ts';
import { WatchedMonitor } from '../src/run/watch/watched-monitor.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';
import { until } from '../test/fixtures/until.ts';
import { type Writer, writingGuest } from './linux-guest/writing-guest.ts';

const MIB = 2 ** 20;
const MEMORY_MIB = '256';
const REHEARSE_NS = 5e9;
const BOOTED_WITHIN_MS = 180_000;
const RUNS = 4;
/** QEMU says times as differences of a clock of milliseconds: what came is known to within this. */
const CLOCK_NS = NANOS_PER_MILLISECOND;
const rewriting: Writer = { pages: 24_576, hotPages: 900, hotPerSecond: 3_500, othersPerSecond: 300 };
/** Its later rounds take seconds, so that whoever watches sees them. */
const spreading: Writer = { ...rewriting, hotPerSecond: 1_500, othersPerSecond: 2_300 };
const settings = [
  { writer: rewriting, rate: 24 * MIB },
  { writer: rewriting, rate: 32 * MIB },
  { writer: rewriting, rate: 64 * MIB },
  { writer: spreading, rate: 24 * MIB },
];

/** What QEMU says at the end. */
interface Ended {
  readonly status: string;
  readonly 'total-time'?: number;
  readonly downtime?: number;
  readonly ram?: { readonly 'downtime-bytes'?: number };
}

/** What was predicted, and by whom. */
interface Predicted {
  readonly by: 'calc-dirty-rate' | 'rehearsal' | 'watch';
  readonly when: string;
  readonly totalNs: Quantiles | null;
  readonly downtimeNs: Quantiles | null;
}

/** How a prediction compares with what came. */
interface Judged {
  readonly by: Predicted['by'];
  readonly what: 'total' | 'downtime';
  readonly isNear: boolean;
  readonly isInInterval: boolean;
}

/**
 * A Linux guest whose writes are known is asked for its dirty rates, rehearsed, and migrated by QEMU's own rule while it is
 * watched. b_d is what the stop of the first of these migrations carried, devices included, whose downtime is not judged.
 */
export async function predicted(): Promise<void> {
  const all: Judged[] = [];
  for (const { writer, rate } of settings) {
    let stopRate: number | undefined;
    for (let run = 0; run < RUNS; run++) {
      const { judged, carried } = await withMachines(writer, (source, there) =>
        oneMigration(source, there, rate, stopRate),
      );
      all.push(...judged.filter(({ what }) => what === 'total' || stopRate !== undefined));
      stopRate ??= carried;
    }
  }
  console.log(
    `\nload ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
  for (const by of ['calc-dirty-rate', 'rehearsal', 'watch'] as const) {
    for (const what of ['total', 'downtime'] as const) {
      const judged = all.filter((one) => one.by === by && one.what === what);
      const count = (is: (one: Judged) => boolean) => judged.filter(is).length;
      const tolerated = what === 'total' ? '15 %' : '30 % + 10 ms';
      console.log(
        `  ${by}, ${what}: within ${tolerated} in ${count(({ isNear }) => isNear)} of ${judged.length}, in the interval of 90 % in ${count(({ isInInterval }) => isInInterval)}`,
      );
    }
  }
}

/** @returns what b_d was, too */
async function oneMigration(
  source: OthersMachine,
  there: OthersMachine,
  rate: number,
  stopRateBytesPerSecond: number | undefined,
): Promise<{ readonly judged: readonly Judged[]; readonly carried: number }> {
  const all: Predicted[] = [];
  const besides = { maxBandwidthBytesPerSecond: rate, stopRateBytesPerSecond };
  for (const [by, rehearseNs] of [
    ['calc-dirty-rate', undefined],
    ['rehearsal', REHEARSE_NS],
  ] as const) {
    const { observation, memoryBytes } = await measureMachine(source.ours, rehearseNs);
    all.push({ by, when: 'before', ...predictObservation(observation, { ...besides, memoryBytes }) });
  }
  const ended = await migrated(source, there, rate, { stopRateBytesPerSecond }, all);
  const [totalMs = 0, downtimeMs = 0] = [ended['total-time'], ended.downtime];
  const bytes = ended.ram?.['downtime-bytes'] ?? 0;
  console.log(
    `${rate / MIB} MiB/s: ${ended.status}, total ${totalMs} ms, downtime ${downtimeMs} ms with ${formatSize(bytes)}`,
  );
  const judged = all.flatMap((one) => {
    console.log(
      `  ${one.by} (${one.when}): total ${beside(one.totalNs, totalMs)}; downtime ${beside(one.downtimeNs, downtimeMs)}`,
    );
    return [
      judge(one.by, 'total', one.totalNs, totalMs, 0.15 * totalMs),
      judge(one.by, 'downtime', one.downtimeNs, downtimeMs, 0.3 * downtimeMs + 10),
    ];
  });
  return { judged, carried: (1e3 * bytes) / downtimeMs };
}

function judge(
  by: Judged['by'],
  what: Judged['what'],
  quantiles: Quantiles | null,
  cameMs: number,
  toleratedMs: number,
): Judged {
  const cameNs = cameMs * NANOS_PER_MILLISECOND;
  const { p5, p50, p95 } = quantiles ?? { p5: Number.NaN, p50: Number.NaN, p95: Number.NaN };
  return {
    by,
    what,
    isNear: Math.abs(p50 - cameNs) <= toleratedMs * NANOS_PER_MILLISECOND,
    isInInterval: p5 <= cameNs + CLOCK_NS && cameNs - CLOCK_NS <= p95,
  };
}

/** The median over what came, and the interval. */
function beside(quantiles: Quantiles | null, cameMs: number): string {
  if (quantiles === null) return '–';
  const { p5, p50, p95 } = quantiles;
  const times = (p50 / (cameMs * NANOS_PER_MILLISECOND)).toFixed(3);
  return `× ${times} (${formatDuration(p5)}–${formatDuration(p95)})`;
}

/** The same guest twice: one that runs, and one that waits for it. */
async function withMachines<T>(
  writer: Writer,
  act: (source: OthersMachine, there: OthersMachine) => Promise<T>,
): Promise<T> {
  const guest = await writingGuest(writer);
  const options = ['-m', MEMORY_MIB, ...guest.options];
  const source = await OthersMachine.start(qemu10, ...options);
  const there = await OthersMachine.start(qemu10, ...options, '-incoming', 'defer');
  try {
    await until('the writer writes', guest.said, (what) => what !== undefined, BOOTED_WITHIN_MS);
    return await act(source, there);
  } finally {
    await source.end();
    await there.end();
    guest.remove();
  }
}

/** @param all gets what is said while it is watched, from the second round on */
async function migrated(
  source: OthersMachine,
  there: OthersMachine,
  rate: number,
  told: ToldBesides,
  all: Predicted[],
): Promise<Ended> {
  const watched = new WatchedMonitor(source.ours, told, (event) => {
    if (event.event !== 'progress' || (event.syncs ?? 0) < 2 || !event.predicted?.totalNs) return;
    const when = `at ${formatDuration(event.atNs)}, sync ${event.syncs}`;
    all.push({ by: 'watch', when, ...event.predicted });
  });
  await watched.connect();
  const following = watched.follow();
  const uri = `unix:${there.folder}/incoming`;
  await source.theirs.execute('migrate-set-parameters', { 'max-bandwidth': rate });
  await there.theirs.execute('migrate-incoming', { uri });
  await source.theirs.execute('migrate', { uri });
  const ask = () => source.theirs.execute<Ended>('query-migrate');
  const hasEnded = ({ status }: Ended) => status === 'completed' || status === 'failed';
  try {
    return await until('the migration ends', ask, hasEnded, 120_000);
  } finally {
    watched.close();
    await following;
  }
}
