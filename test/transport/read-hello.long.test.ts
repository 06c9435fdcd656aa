import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inputLimits } from '../../src/core/input-limits.ts';
import { WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { recordedPages } from '../../src/workload/recording.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { root } from '../fixtures/command.ts';
import { json, smallHello, stranger } from '../fixtures/stranger.ts';

/** A real destination, and hellos that are short to say and long to read. */
let destination: Host;
let logged: string[];
beforeEach(async () => {
  const lines: string[] = [];
  logged = lines;
  destination = await Host.listen({ host: '127.0.0.1', port: 0, log: (line) => lines.push(line) });
});
afterEach(() => destination.close());

const says = (...frames: Buffer[]) => stranger(destination.address.port, ...frames);
const withProgram = (program: object, more = {}) =>
  encodeFrame('hello', 0, json({ ...smallHello, guest: { ...smallHello.guest, ...more, program } }));
const withRecording = (recording: Buffer, more = {}) =>
  withProgram({ kind: 'trace', recording: recording.toString('base64') }, more);
const header = { format: 'dirty-trace/1', pages: 16, pageSizeBytes: 4096, samples: 1 };
const recorded = (rest: string, samples = 1) =>
  gzipSync(`${JSON.stringify({ ...header, samples })}\n${rest}\n`);

/** The longest time in which this thread, which serves the guests, does nothing else, as a share of all the time. */
async function standstill(waiting: Promise<unknown>): Promise<number> {
  const sinceMs = performance.now();
  let longest = 0;
  let last = sinceMs;
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await waiting;
  clearInterval(beat);
  return longest / (performance.now() - sinceMs);
}

describe('a hello', () => {
  test('with a real recording is taken', async () => {
    const recording = readFileSync(join(root, 'traces/vlc-http-stream.ndjson.gz'));
    const pages = recordedPages(recording, 'vlc');
    const { socket } = await says(withRecording(recording, { pages }));
    const [answer] = await once(socket, 'data');
    expect(answer.toString('latin1')).toContain(`"version":${WIRE_VERSION}`);
    expect(destination.guests().map(({ name, state }) => [name, state])).toEqual([['small', 'arriving']]);
    socket.destroy();
  });

  test.each<[string, () => Buffer, RegExp]>([
    [
      'of 250 million line ends',
      () => withRecording(gzipSync(Buffer.alloc(250_000_000, '\n'))),
      /recording: expected at most 64 MiB once unpacked/,
    ],
    [
      'of one line of 60 MB',
      () => withRecording(recorded(`[1,[1${',1'.repeat(30e6)}]]`)),
      /recording: expected lines of at most 8 MiB/,
    ],
    [
      'of millions of samples',
      () => withRecording(recorded('[1,[]]\n'.repeat(3e6), 3e6)),
      /recording: expected at most 1000000 samples/,
    ],
    [
      'of millions of writes',
      () => withRecording(recorded(`[1000,[1${',1'.repeat(4e6)}]]\n`.repeat(3), 3)),
      /recording: expected at most 6000000 writes/,
    ],
    [
      'with a header of lists in lists',
      () => withRecording(gzipSync('['.repeat(60e6))),
      /recording: expected lines of at most 8 MiB/,
    ],
    [
      'that is no recording',
      () => withRecording(Buffer.from('nonsense')),
      /recording: not a whole gzip file/,
    ],
    [
      'with more classes than a program has',
      () =>
        withProgram({
          kind: 'classes',
          classes: Array(11_000).fill({ pages: 1, writesPerSecond: 1 }),
        }),
      /hello: guest.program.classes/,
    ],
  ])('%s is refused with the limit, and the thread that serves guests goes on', async (_, frame, why) => {
    const bytes = frame();
    const { answer } = await says(bytes);
    const share = await standstill(answer);
    expect(await answer).toMatch(why);
    // Read here, it would be nearly all of the time.
    expect(share).toBeLessThan(0.6);
  });

  test('of lists in lists is refused before it is parsed', async () => {
    const { answer } = await says(encodeFrame('hello', 0, Buffer.from('['.repeat(16e6))));
    expect(await answer).toContain('hello: expected at most 64 levels of nesting, found more');
  });

  test('finds no room while others that are as large arrive, and finds it when they have gone', async () => {
    const announced = encodeFrame('hello').subarray(0, 16);
    announced.writeUInt32LE(inputLimits.helloBytes, 12);
    const slow = [await says(announced)];
    const { answer } = await says(announced);
    expect(await answer).toContain('hellos of more than 25165824 bytes arrive at once; try again later');
    for (const { socket } of slow) socket.destroy();
    await expect.poll(() => logged.filter((line) => line.includes('did not arrive')).length).toBe(2);
    const { answer: refused } = await says(encodeFrame('hello', 0, Buffer.from('['.repeat(16e6))));
    expect(await refused).toContain('levels of nesting');
  });

  test('before the proof is not read at all where a key is set', async () => {
    await destination.close();
    destination = await Host.listen({ host: '127.0.0.1', port: 0, key: randomBytes(32), log: () => {} });
    const { answer } = await says(withRecording(gzipSync(Buffer.alloc(250_000_000, '\n'))));
    expect(await answer).toContain('the source does not encrypt, and this destination does');
  });

  test('whose source has gone meanwhile boots nobody', async () => {
    const socket = connect(destination.address.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.end(withRecording(recorded('[1,[1]]')));
    await once(socket, 'close');
    await expect.poll(() => destination.guests()).toEqual([]);
  });
});
