import { execFile, spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Whether iperf3(1) is installed. */
export const hasIperf = spawnSync('iperf3', ['--version']).status === 0;

const PORT = 25_201;
const LISTENS_WITHIN_MS = 10_000;

/** Bytes a second that iperf3 carries over loopback, by its receiver's count. */
export async function iperf(bytes: number, connections: number): Promise<number> {
  const server = spawn('iperf3', ['-s', '-p', String(PORT), '-B', '127.0.0.1'], { stdio: 'ignore' });
  try {
    await listens(PORT);
    const what = ['-c', '127.0.0.1', '-p', String(PORT), '-n', String(bytes), '-P', String(connections)];
    const { stdout } = await promisify(execFile)('iperf3', [...what, '-J'], { maxBuffer: 2 ** 24 });
    return JSON.parse(stdout).end.sum_received.bits_per_second / 8;
  } finally {
    server.kill();
  }
}

/** A connection that says nothing is no test, and ends as one that was broken off. */
async function listens(port: number): Promise<void> {
  const deadline = Date.now() + LISTENS_WITHIN_MS;
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (isThere) return;
    if (Date.now() > deadline) throw new Error(`iperf3 does not listen on port ${port}`);
    await sleep(50);
  }
}
