import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** Whether iperf3(1) is installed. */
export const hasIperf = spawnSync('iperf3', ['--version']).status === 0;

const PORT = 25_201;
const LISTENS_WITHIN_MS = 10_000;

/** Bytes a second that iperf3 carries over loopback, by its receiver's count. */
export async function iperf(bytes: number, connections: number): Promise<number> {
  // It says that it listens before its output is flushed by itself. A connection to find out would count as a test of its own.
  const server = spawn('iperf3', ['-s', '-p', String(PORT), '-B', '127.0.0.1', '--forceflush'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(server.stdout, 'data', { signal: AbortSignal.timeout(LISTENS_WITHIN_MS) });
    const what = ['-c', '127.0.0.1', '-p', String(PORT), '-n', String(bytes), '-P', String(connections)];
    const { stdout } = await promisify(execFile)('iperf3', [...what, '-J'], { maxBuffer: 2 ** 24 });
    return JSON.parse(stdout).end.sum_received.bits_per_second / 8;
  } finally {
    server.kill();
  }
}
