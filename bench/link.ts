import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type CpuPlan, freeCpu } from '../src/core/cpu/cpu-plan.ts';
import { DEEPEST_BUCKET_BYTES } from '../src/core/link/bucket.ts';
import { Conformance } from '../src/core/link/conformance.ts';
import { DepartureWindows } from '../src/core/link/windows.ts';
import { formatDuration, formatRate, formatSize } from '../src/core/units.ts';
import { noTwoHosts, TwoHosts } from '../test/fixtures/two-hosts.ts';
import { idle, migrateThreads } from './migration.ts';

const SECONDS = 5.5;
const PAGE_BYTES = 4112;
const MBIT = 125_000;
const rates = [50 * MBIT, 200 * MBIT, 1000 * MBIT];
/** What a reservation of this rate gets by default: see scenario.ts. */
const depthOf = (rate: number) => Math.max(65_536, rate / 100);

/** Two hogs want the sender's processor; it has half of it. */
const crowded: CpuPlan = {
  ...freeCpu,
  scheduler: 'cbs-hard',
  sender: { budgetNs: 2e6, periodNs: 4e6 },
  hogs: 2,
};

/** How well link reservations are kept, and how others keep to a rate. About four minutes. */
export async function link(): Promise<void> {
  console.log(`one migration of ${SECONDS} s each: real threads, real sockets, loopback; at the socket`);
  for (const rate of rates) {
    for (const depth of new Set([depthOf(rate), Math.min(DEEPEST_BUCKET_BYTES, rate / 10)])) {
      await ours(rate, depth, 'alone', freeCpu);
      await ours(rate, depth, 'beside two hogs, reserved', crowded);
    }
  }
  console.log(
    `\nthe same rate kept in other ways, ${SECONDS} s each; where it arrives: another process, ${noTwoHosts ? 'over loopback' : 'in another network namespace'}`,
  );
  if (noTwoHosts) console.log(`  ${noTwoHosts}`);
  for (const rate of rates) {
    for (const way of ['ours', 'timer', 'unpaced'] as const) {
      if (way === 'unpaced' && noTwoHosts) continue;
      await arriving(way, rate);
    }
  }
}

async function ours(rate: number, depthBytes: number, how: string, cpu: CpuPlan): Promise<void> {
  const pages = Math.ceil((rate * SECONDS) / PAGE_BYTES);
  const change = { depthBytes, verify: 'checksums' as const };
  const { rounds, link, servers } = await migrateThreads(pages, idle, rate, change, cpu);
  const { bytes, durationNs } = rounds[0]!;
  const used = (bytes * 1e9) / durationNs / rate;
  const missed = servers.map(
    (server) =>
      `missed ${server.missedPeriods} of ${server.periods}, ${server.missedByMachine} by the machine`,
  );
  print(formatRate(rate), how, [
    `bucket of ${formatDuration((depthBytes / rate) * 1e9)}`,
    `used ${percent(used)}`,
    `of what was granted ${percent(link.utilisation!)}`,
    `worst excess ${link.worstExcessBytes} bytes`,
    ...link.windows.map(
      ({ windowNs, mostBytes, allowedBytes }) =>
        `${formatDuration(windowNs)} ${percent(mostBytes / allowedBytes!)}`,
    ),
    `latest wake ${formatDuration(link.longestLatenessNs)}`,
    ...missed,
  ]);
}

const ways = { ours: 'our pacer', timer: 'setTimeout after each 64 KiB', unpaced: 'tc tbf, nobody else' };

async function arriving(way: keyof typeof ways, rate: number): Promise<void> {
  const hosts = noTwoHosts ? undefined : TwoHosts.create();
  const inside = (name: string | undefined, ...command: string[]) =>
    name === undefined ? ([command[0]!, command.slice(1)] as const) : TwoHosts.in(name, ...command);
  const file = (name: string) => new URL(`./${name}.js`, import.meta.url).pathname;
  const depth = depthOf(rate);
  try {
    if (way === 'unpaced') hosts!.shape(`${rate * 8}bit`, String(depth));
    const address = hosts?.address ?? '127.0.0.1';
    const receiver = spawn(...inside(hosts?.there, process.execPath, file('arrivals'), address), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [port] = await said<number>(receiver);
    const sender = spawn(
      ...inside(
        hosts?.here,
        process.execPath,
        file('departures'),
        way,
        String(rate),
        String(SECONDS),
        String(depth),
        address,
        String(port),
      ),
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    const [[arrived]] = await Promise.all([
      said<{ instants: number[]; sizes: number[] }>(receiver),
      once(sender, 'exit'),
    ]);
    report(ways[way], rate, depth, arrived);
  } finally {
    hosts?.end();
  }
}

function report(
  name: string,
  rate: number,
  depth: number,
  { instants, sizes }: { instants: number[]; sizes: number[] },
): void {
  const conformance = new Conformance(depth, instants[0]!);
  const lengths = [10e6, 100e6, 1e9];
  const windows = new DepartureWindows(lengths);
  for (const [index, at] of instants.entries()) {
    conformance.departed(at, sizes[index]!, rate);
    windows.departedRow(Float64Array.of(at), sizes[index]!);
  }
  const mean = ((conformance.sentBytes - depth) * 1e9) / (instants.at(-1)! - instants[0]!);
  print(formatRate(rate), name, [
    `mean ${percent(mean / rate)}`,
    `worst excess ${formatSize(conformance.worstExcessBytes)}`,
    ...lengths.map(
      (ns, index) =>
        `${formatDuration(ns)} ${percent(windows.mostBytes[index]! / (depth + (rate * ns) / 1e9))}`,
    ),
  ]);
}

async function said<Message>(child: ChildProcess): Promise<[Message]> {
  return (await once(child, 'message')) as [Message];
}

function print(rate: string, name: string, figures: readonly string[]): void {
  console.log(`  ${rate.padEnd(11)}${name.padEnd(30)}${figures.join('   ')}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
