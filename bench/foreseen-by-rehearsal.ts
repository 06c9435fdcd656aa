import { formatDuration } from '../src/core/units.ts';
import { foreseeObserved } from '../src/run/prediction/foresee-observed.ts';
import { measureMachine } from '../src/run/prediction/measure-machine.ts';
import { OthersMachine, qemu10 } from '../test/fixtures/others-machine.ts';
import { until } from '../test/fixtures/until.ts';
import { writingGuest } from './linux-guest/writing-guest.ts';

const MIB = 2 ** 20;
const MEMORY_MIB = '256';
const REHEARSE_NS = 5e9;
const RUNS = 3;
const RATES = [32 * MIB, 64 * MIB];
const writer = { pages: 24_576, hotPages: 900, hotPerSecond: 3_500, othersPerSecond: 300 };

/**
 * A Linux guest is rehearsed, its total time is foreseen, and QEMU migrates it by its own rule. The downtime is not compared:
 * QEMU's b_d over a socket of one host is nobody's.
 */
export async function foreseen(): Promise<void> {
  for (const rate of RATES) {
    for (let run = 0; run < RUNS; run++) {
      await withMachines((source, there) => foreseenAt(rate, source, there));
    }
  }
}

async function foreseenAt(rate: number, source: OthersMachine, there: OthersMachine): Promise<void> {
  const { observation, memoryBytes } = await measureMachine(source.ours, REHEARSE_NS);
  const { totalNs } = foreseeObserved(observation, { memoryBytes, maxBandwidthBytesPerSecond: rate });
  const ended = await migrated(source, there, rate);
  const told = totalNs === null ? 'nothing' : formatDuration(totalNs.p50);
  console.log(`${rate / MIB} MiB/s: ${ended.status}, total ${ended['total-time']} ms, foreseen ${told}`);
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
}
