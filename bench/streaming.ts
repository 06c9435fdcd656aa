import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { freeCpu } from '../src/core/cpu/cpu-plan.ts';
import type { Credentials } from '../src/transport/credentials.ts';
import { hasIperf, iperf } from './iperf.ts';
import { idle, migrateThreads } from './migration.ts';
import { plainSocket } from './plain-socket.ts';

const PAGES = 131_072;
const BYTES = PAGES * 4096;
const REPETITIONS = 5;
const CONNECTIONS = [1, 2, 4];

/**
 * Unthrottled streaming of pages over one connection, checksums and digests included, into memory that was touched before: against
 * iperf3 and against the best of plain sockets, one after the other in each repetition, so that a busy machine slows all of them.
 */
export async function streaming(): Promise<void> {
  console.log(`streaming ${BYTES / 2 ** 20} MiB between two processes over loopback, unthrottled, GB/s`);
  if (!hasIperf) console.log('  iperf3 is not installed: without it, ratios are to the best plain sockets');
  const ratios = { plain: [] as number[], encrypted: [] as number[], sockets: [] as number[] };
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const tools = hasIperf ? await eachOf((connections) => iperf(BYTES, connections)) : [];
    const sockets = await eachOf((connections) => plainSocket(BYTES, connections));
    const plain = await ours({ key: null });
    const encrypted = await ours({ key: randomBytes(32) });
    const best = Math.max(...sockets);
    const reference = hasIperf ? Math.max(...tools) : best;
    ratios.plain.push(plain / reference);
    ratios.encrypted.push(encrypted / reference);
    ratios.sockets.push(plain / best);
    console.log(
      `  iperf3 ${figures(tools)}   plain sockets ${figures(sockets)}   pages ${figures([plain])}   encrypted ${figures([encrypted])}   load ${loadavg()[0]!.toFixed(1)}`,
    );
  }
  const counts = CONNECTIONS.join(', ');
  console.log(`  (of ${counts} connections; the best of them counts)`);
  const to = hasIperf ? 'iperf3' : 'plain sockets';
  console.log(
    `  median ratios: pages to ${to} ${median(ratios.plain)}, encrypted ${median(ratios.encrypted)}; pages to plain sockets ${median(ratios.sockets)}`,
  );
}

async function eachOf(measure: (connections: number) => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (const connections of CONNECTIONS) found.push(await measure(connections));
  return found;
}

/** Bytes a second of the first round, which carries all pages. */
async function ours(credentials: Credentials): Promise<number> {
  const receiver = fork(new URL('./receiver.js', import.meta.url), { serialization: 'advanced' });
  try {
    receiver.send(credentials);
    const [port] = (await once(receiver, 'message')) as [number];
    const there = { host: '127.0.0.1', port, ...credentials };
    const change = { verify: 'checksums' as const };
    const { rounds } = await migrateThreads(PAGES, idle, null, change, freeCpu, there);
    return (rounds[0]!.bytes * 1e9) / rounds[0]!.durationNs;
  } finally {
    receiver.kill();
  }
}

function figures(bytesPerSecond: readonly number[]): string {
  return bytesPerSecond.map((one) => (one / 1e9).toFixed(2)).join(' ') || '–';
}

function median(ratios: readonly number[]): string {
  return ratios.toSorted((one, other) => one - other)[ratios.length >> 1]!.toFixed(2);
}
