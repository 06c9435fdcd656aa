import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inputLimits } from '../../src/core/input-limits.ts';
import { WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { main } from '../fixtures/command.ts';
import { json, smallHello, stranger } from '../fixtures/stranger.ts';

/** A destination in a process of its own, as a user starts it, and many hellos at once that are costly to read. */
const receiving = spawn(process.execPath, [main, 'receive'], { stdio: ['ignore', 'pipe', 'inherit'] });
let port: number;
let log = '';
beforeAll(async () => {
  const lines = createInterface(receiving.stdout);
  const [line] = await once(lines, 'line');
  port = Number(line.split(':').at(-1));
  lines.on('line', (text) => {
    log += `${text}\n`;
  });
});
afterAll(() => receiving.kill());

const residentBytes = (key: 'VmRSS' | 'VmHWM') =>
  1024 * Number(readFileSync(`/proc/${receiving.pid}/status`, 'utf8').match(`${key}:\\s*(\\d+)`)![1]);

const header = '{"format":"dirty-trace/1","pages":16,"pageSizeBytes":4096,"samples":4}\n';
const recordings = [
  gzipSync(Buffer.alloc(250_000_000, '\n')),
  gzipSync(Buffer.alloc(inputLimits.recordingTextBytes - 1, '\n')),
  gzipSync(`${header}${`[1000,[1${',1'.repeat(1.9e6)}]]\n`.repeat(3)}`),
  gzipSync(`${header}${'[1,[]]\n'.repeat(5e6)}`),
  gzipSync(`${header}[1000,[{}${',{}'.repeat(2e6)}]]\n`),
];
const hellos = [
  ...recordings.map((recording) =>
    json({
      ...smallHello,
      guest: { ...smallHello.guest, program: { kind: 'trace', recording: recording.toString('base64') } },
    }),
  ),
  Buffer.from('['.repeat(inputLimits.helloBytes)),
  Buffer.from(`[${'{},'.repeat(inputLimits.helloBytes / 3 - 2)}1]`),
  Buffer.from(`"${'x'.repeat(inputLimits.helloBytes - 2)}"`),
];

test('all are refused, the process goes on, and has had 256 MiB more than when idle at the most', async () => {
  const idle = residentBytes('VmRSS');
  for (let wave = 0; wave < 2; wave++) {
    const strangers = hellos.map((hello) => stranger(port, encodeFrame('hello', 0, hello)));
    const answers = await Promise.all(strangers.map(async (one) => (await one).answer));
    for (const answer of answers) expect(answer).toMatch(/hello|recording|too many/);
  }
  expect(receiving.exitCode).toBeNull();
  const { socket } = await stranger(port, encodeFrame('hello', 0, json(smallHello)));
  const [answer] = await once(socket, 'data');
  expect(answer.toString('latin1')).toContain(`"version":${WIRE_VERSION}`);
  socket.destroy();
  const more = residentBytes('VmHWM') - idle;
  console.log(
    `at most ${(more / 2 ** 20).toFixed(0)} MiB above idle, of ${log.split('\n').length} connections`,
  );
  expect(more).toBeLessThan(256 * 2 ** 20);
});
