import { formatDuration, formatSize, NANOS_PER_MILLISECOND, type Nanos } from '../src/core/units.ts';
import type { Quantiles } from '../src/model/foreseen-migration.ts';
import { foreseeObserved, type ToldBesides } from '../src/run/prediction/foresee-observed.ts';
import { measureMachine } from '../src/run/prediction/measure-machine.ts';
import { WatchedMonitor } from '../src/run/watch/watched-monitor.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';
import { until } from '../test/fixtures/until.ts';
import { writingGuest } from './linux-guest/writing-guest.ts';

const MIB = 2 ** 20;
const MEMORY_MIB = '256';
const REHEARSE_NS = 5e9;
const RUNS = 4;
const RATES = [24 * MIB, 32 * MIB, 64 * MIB];
const writer = { pages: 24_576, hotPages: 900, hotPerSecond: 3_500, othersPerSecond: 300 };

/** What QEMU says at the end. */
interface Ended {
  readonly status: string;
  readonly 'total-time'?: number;
  readonly downtime?: number;
  readonly ram?: { readonly 'downtime-bytes'?: number };
}

/** What was predicted, by whom, beside what came. */
interface Judged {
  readonly by: string;
  readonly totalNs: Quantiles | null;
  readonly downtimeNs: Quantiles | null;
}

/**
 * A Linux guest whose writes are known is asked for its dirty rates, rehearsed, and migrated by QEMU's own rule while it is
 * watched. b_d is what the stop of the first of these migrations carried, devices included, which is not judged.
 */
export async function predicted(): Promise<void> {
  for (const rate of RATES) {
    let stopRate: number | undefined;
    for (let run = 0; run < RUNS; run++) {
      stopRate = await withMachines((source, there) => oneMigration(source, there, rate, stopRate));
    }
  }
}

/** @returns b_d: the one it was told, or that of this migration */
async function oneMigration(
  source: OthersMachine,
  there: OthersMachine,
  rate: number,
  stopRate: number | undefined,
): Promise<number> {
  const judged: Judged[] = [];
  const told = { maxBandwidthBytesPerSecond: rate, stopRateBytesPerSecond: stopRate };
  for (const [by, rehearseNs] of [
    ['calc-dirty-rate', undefined],
    ['rehearsal', REHEARSE_NS],
  ] as const) {
    const { observation, memoryBytes } = await measureMachine(source.ours, rehearseNs);
    judged.push({ by, ...foreseeObserved(observation, { ...told, memoryBytes }) });
  }
  const ended = await migrated(source, there, rate, { stopRateBytesPerSecond: stopRate }, judged);
  const [totalMs = 0, downtimeMs = 0] = [ended['total-time'], ended.downtime];
  const bytes = ended.ram?.['downtime-bytes'] ?? 0;
  console.log(
    `${rate / MIB} MiB/s: ${ended.status}, total ${totalMs} ms, downtime ${downtimeMs} ms with ${formatSize(bytes)}`,
  );
  for (const { by, totalNs, downtimeNs } of judged) {
    console.log(`  ${by}: total ${beside(totalNs, totalMs)}; downtime ${beside(downtimeNs, downtimeMs)}`);
  }
  return stopRate ?? (1e3 * bytes) / downtimeMs;
}

/** The median over what came, and whether the interval has it. */
function beside(quantiles: Quantiles | null, cameMs: number): string {
  if (quantiles === null) return '–';
  const { p10, p50, p90 } = quantiles;
  const cameNs = cameMs * NANOS_PER_MILLISECOND;
  const has = p10 <= cameNs && cameNs <= p90;
  return `× ${(p50 / cameNs).toFixed(3)} (${span(p10, p90)}: ${has ? 'has it' : 'MISSES it'})`;
}

function span(from: Nanos, to: Nanos): string {
  return `${formatDuration(from)}–${formatDuration(to)}`;
}

/** The same guest twice: one that runs, and one that waits for it. */
async function withMachines<T>(act: (source: OthersMachine, there: OthersMachine) => Promise<T>): Promise<T> {
  const guest = await writingGuest(writer);
  const options = ['-m', MEMORY_MIB, ...guest.options];
  const source = await OthersMachine.start(qemu10, ...options);
  const there = await OthersMachine.start(qemu10, ...options, '-incoming', 'defer');
  try {
    await until('the writer writes', guest.said, (what) => what !== undefined, 60_000);
    return await act(source, there);
  } finally {
    await source.end();
    await there.end();
    guest.remove();
  }
}

/** @param judged gets what is said while it is watched, from the second round on */
async function migrated(
  source: OthersMachine,
  there: OthersMachine,
  rate: number,
  told: ToldBesides,
  judged: Judged[],
): Promise<Ended> {
  const watched = new WatchedMonitor(source.ours, told, (event) => {
    if (event.event !== 'progress' || (event.syncs ?? 0) < 2 || !event.foreseen?.totalNs) return;
    judged.push({ by: `watched at ${formatDuration(event.atNs)}, sync ${event.syncs}`, ...event.foreseen });
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
