import { formatDuration, formatRate } from '../src/core/units.ts';
import { foreseeObserved } from '../src/run/prediction/foresee-observed.ts';
import { measureMachine } from '../src/run/prediction/measure-machine.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';
import { until } from '../test/fixtures/until.ts';
import { writingGuest } from './linux-guest/writing-guest.ts';

const MIB = 2 ** 20;
const MEMORY_MIB = '256';
const REHEARSE_NS = 5e9;
const RUNS = 3;
const UNLIMITED = 0;
const RATES = [16 * MIB, 32 * MIB, 64 * MIB];
const writer = { pages: 24_576, hotPages: 900, hotPerSecond: 3_500, othersPerSecond: 300 };

/** A Linux guest is rehearsed, what becomes of it is foreseen, and QEMU migrates it by its own rule. */
export async function foreseen(): Promise<void> {
  const stopRate = await withMachines(async (source, there) => {
    const { ram } = await migrated(source, there, UNLIMITED);
    return (ram!.mbps * 1e6) / 8;
  });
  console.log(`b_d, what a migration without a limit had on average: ${formatRate(stopRate)}`);
  for (const rate of RATES) {
    for (let run = 0; run < RUNS; run++) {
      await withMachines((source, there) => foreseenAt(rate, stopRate, source, there));
    }
  }
}

async function foreseenAt(
  rate: number,
  stopRate: number,
  source: OthersMachine,
  there: OthersMachine,
): Promise<void> {
  const { observation, memoryBytes } = await measureMachine(source.ours, REHEARSE_NS);
  const told = { memoryBytes, maxBandwidthBytesPerSecond: rate, stopRateBytesPerSecond: stopRate };
  const { totalNs, downtimeNs } = foreseeObserved(observation, told);
  const ended = await migrated(source, there, rate);
  const compare = (foreseenNs: number | undefined, realMs: number | undefined) =>
    `${realMs} ms, foreseen ${foreseenNs === undefined ? 'nothing' : formatDuration(foreseenNs)}`;
  console.log(
    `${rate / MIB} MiB/s: ${ended.status}, total ${compare(totalNs?.p50, ended['total-time'])}; ` +
      `downtime ${compare(downtimeNs?.p50, ended.downtime)}`,
  );
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

async function migrated(source: OthersMachine, there: OthersMachine, rate: number): Promise<Ended> {
  const uri = `unix:${there.folder}/incoming`;
  await source.theirs.execute('migrate-set-parameters', { 'max-bandwidth': rate });
  await there.theirs.execute('migrate-incoming', { uri });
  await source.theirs.execute('migrate', { uri });
  const ask = () => source.theirs.execute<Ended>('query-migrate');
  const hasEnded = ({ status }: Ended) => status === 'completed' || status === 'failed';
  return until('the migration ends', ask, hasEnded, 120_000);
}

interface Ended {
  readonly status: string;
  readonly 'total-time'?: number;
  readonly downtime?: number;
  readonly ram?: { readonly mbps: number };
}
