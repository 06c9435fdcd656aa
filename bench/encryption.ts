import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { freeCpu } from '../src/core/cpu/cpu-plan.ts';
import { formatRate } from '../src/core/units.ts';
import { summary } from '../src/study/statistics/estimate.ts';
import type { Credentials } from '../src/transport/credentials.ts';
import { idle, migrateThreads } from './migration.ts';

const PAGES = 131_072;
const RUNS = 7;
const GIGABIT = 125_000_000;

const key = randomBytes(32);
const ways = {
  plain: { key, tls: 'off' },
  'TLS 1.3 from the key': { key },
} as const satisfies Record<string, Credentials>;

type Way = keyof typeof ways;

/** What one migration took. Processor time is that of the whole process, all its threads. */
interface Taken {
  readonly bytesPerSecond: number;
  readonly sourceCpuSecondsPerGb: number;
  readonly destinationCpuSecondsPerGb: number;
}

/**
 * What encryption costs: the same guest sent in turn with it and without, to another process over loopback, as fast as it
 * goes and at 1 Gbit/s. About two minutes.
 */
export async function encryption(): Promise<void> {
  console.log(
    `a guest of ${PAGES * 4096} bytes that writes nothing, ${RUNS} times each, in turn; medians [95 %]`,
  );
  const all = new Map<Way, Taken[]>(names().map((name) => [name, []]));
  for (let run = 0; run < RUNS; run++) {
    for (const name of names()) all.get(name)!.push(await unpaced(name));
  }
  for (const [name, taken] of all) {
    print(name, [
      `${formatRate(median(taken, ({ bytesPerSecond }) => bytesPerSecond))} as fast as it goes`,
      `processor time of a GB: source ${seconds(taken, (one) => one.sourceCpuSecondsPerGb)}`,
      `destination ${seconds(taken, (one) => one.destinationCpuSecondsPerGb)}`,
    ]);
  }
  for (const name of names()) {
    const { link } = await migrated(name, (GIGABIT * 5.5) / 4112, GIGABIT);
    print(name, [
      `at 1 Gbit/s: sent, of what was granted ${(100 * link.utilisation!).toFixed(2)} %`,
      `worst excess ${link.worstExcessBytes} bytes`,
    ]);
  }
}

const names = () => Object.keys(ways) as Way[];

async function unpaced(name: Way): Promise<Taken> {
  const { rounds, sourceCpuNs, destinationCpuNs } = await migrated(name, PAGES, null);
  const { bytes, durationNs } = rounds[0]!;
  return {
    bytesPerSecond: (bytes * 1e9) / durationNs,
    sourceCpuSecondsPerGb: sourceCpuNs / bytes,
    destinationCpuSecondsPerGb: destinationCpuNs / bytes,
  };
}

/** One migration to a process of its own; what both used of the processors from its beginning to its end. */
async function migrated(name: Way, pages: number, rate: number | null) {
  const receiver = fork(new URL('./receiver.js', import.meta.url), { serialization: 'advanced' });
  try {
    receiver.send(ways[name]);
    const [port] = (await once(receiver, 'message')) as [number];
    const change = { depthBytes: 1_250_000, verify: 'checksums' as const };
    const there = { host: '127.0.0.1', port, ...ways[name] };
    const before = [process.cpuUsage(), await usedBy(receiver)] as const;
    const course = await migrateThreads(Math.ceil(pages), idle, rate, change, freeCpu, there);
    const [source, destination] = [process.cpuUsage(before[0]), await usedBy(receiver)];
    return {
      ...course,
      sourceCpuNs: 1e3 * (source.user + source.system),
      destinationCpuNs: destination - before[1],
    };
  } finally {
    receiver.kill();
  }
}

async function usedBy(receiver: ChildProcess): Promise<number> {
  receiver.send('used');
  return ((await once(receiver, 'message')) as [number])[0];
}

function median(taken: readonly Taken[], value: (one: Taken) => number): number {
  return summary(taken.map(value)).median;
}

function seconds(taken: readonly Taken[], value: (one: Taken) => number): string {
  const { median: middle, low, high } = summary(taken.map(value));
  return `${middle.toFixed(2)} [${low.toFixed(2)}–${high.toFixed(2)}] s`;
}

function print(name: string, figures: readonly string[]): void {
  console.log(`  ${name.padEnd(24)}${figures.join('   ')}`);
}
