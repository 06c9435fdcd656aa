import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { idle, migrateThreads } from './migration.ts';

const PAGES = 131_072;
const BYTES = PAGES * 4096;
const REPETITIONS = 5;

/** Unthrottled page streaming, checksums and digest included, against a bare copy of as many bytes over TCP. */
export async function streaming(): Promise<void> {
  const ratios: number[] = [];
  console.log(`streaming ${BYTES / 2 ** 20} MiB between two processes over loopback, unthrottled`);
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const bare = await bareCopy();
    const { rounds } = await migrateThreads(PAGES, idle, null);
    const pages = (rounds[0]!.bytes * 1e9) / rounds[0]!.durationNs;
    ratios.push(pages / bare);
    console.log(
      `  bare ${(bare / 1e9).toFixed(2)} GB/s   pages ${(pages / 1e9).toFixed(2)} GB/s   ratio ${(pages / bare).toFixed(2)}`,
    );
  }
  ratios.sort((a, b) => a - b);
  console.log(`  median ratio ${ratios[REPETITIONS >> 1]!.toFixed(2)}`);
}

/** Bytes a second of a plain socket to a process that only copies them into its memory. */
async function bareCopy(): Promise<number> {
  const sink = fork(new URL('./sink.js', import.meta.url), [String(BYTES)], { execArgv: [] });
  const [port] = (await once(sink, 'message')) as [number];
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const memory = Buffer.alloc(BYTES, 1);
  const startedAt = process.hrtime.bigint();
  for (let offset = 0; offset < BYTES; offset += 262_144) {
    if (!socket.write(memory.subarray(offset, offset + 262_144))) await once(socket, 'drain');
  }
  socket.end();
  await once(sink, 'message');
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  sink.disconnect();
  return BYTES / seconds;
}
