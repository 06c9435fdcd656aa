import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LARGEST_HELLO_BYTES, WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import type { Limits } from '../../src/transport/limits.ts';
import { encodeStop } from '../../src/transport/payloads.ts';
import { StreamDigest } from '../../src/transport/stream-digest.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { json, smallHello, stranger } from '../fixtures/stranger.ts';

/** A real destination and raw sockets: what strangers, and sources that fall silent, may cost it. */
let destination: Host;
let logged: string[];
let before: Held;

interface Held {
  readonly descriptors: number;
  readonly threads: number;
}

/** What the kernel says this process holds. */
function held(): Held {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

async function listen(limits: Partial<Limits>, key?: Uint8Array): Promise<void> {
  logged = [];
  const log = (line: string) => logged.push(line);
  destination = await Host.listen({ host: '127.0.0.1', port: 0, key, tls: 'off', limits, log });
}

const connected = (...frames: Buffer[]) => stranger(destination.address.port, ...frames);
const greetingOf = (name: string) =>
  encodeFrame('hello', 0, json({ ...smallHello, guest: { ...smallHello.guest, name } }));
const greeting = greetingOf(smallHello.guest.name);

/** A source that has been greeted back. */
async function greeted(name = smallHello.guest.name) {
  const source = await connected(greetingOf(name));
  await once(source.socket, 'data');
  return source;
}

beforeEach(() => {
  before = held();
});
afterEach(async () => {
  await destination.close();
  await expect.poll(held).toEqual(before);
});

describe('a stranger', () => {
  test('who says nothing is hung up on', async () => {
    await listen({ unauthenticatedMs: 200 });
    const { answer } = await connected();
    expect(await answer).toContain('unauthenticated for 0.2 s');
    await expect.poll(() => logged.at(-1)).toContain('did not arrive: unauthenticated for 0.2 s');
  });

  test.each([
    ['without a key', undefined, greeting],
    ['with a key', randomBytes(32), encodeFrame('challenge', WIRE_VERSION, randomBytes(64))],
  ])('who says it byte by byte, %s, gains nothing', async (_, key, frame) => {
    await listen({ unauthenticatedMs: 300 }, key);
    const { socket, answer } = await connected();
    let said = 0;
    const dripping = setInterval(() => socket.write(frame.subarray(said, ++said)), 20);
    expect(await answer).toContain('unauthenticated for 0.3 s');
    clearInterval(dripping);
    expect(said).toBeLessThan(frame.length);
  });

  test('who stops after the challenge is one still', async () => {
    await listen({ unauthenticatedMs: 200 }, randomBytes(32));
    const { answer } = await connected(encodeFrame('challenge', WIRE_VERSION, randomBytes(64)));
    expect(await answer).toContain('unauthenticated for 0.2 s');
  });

  test('is turned away where there are as many as are let in, and let in when one has gone', async () => {
    await listen({ unauthenticated: 2, connections: 4 });
    const [first] = [await connected(), await connected()];
    expect(await (await connected()).answer).toContain(
      'too many unauthenticated connections: this destination accepts 2 at once',
    );
    expect(logged.at(-1)).toContain('refused');
    first.socket.destroy();
    await expect.poll(() => logged.at(-1)).toContain('did not arrive');
    await greeted();
  });

  test('cannot make it hold more than it says: thousands come and go, and nothing stays', async () => {
    await listen({ unauthenticated: 4, connections: 8, unauthenticatedMs: 100 });
    for (let wave = 0; wave < 40; wave++) {
      await Promise.all(Array.from({ length: 50 }, async () => (await connected(randomBytes(40))).answer));
    }
    expect(held().descriptors).toBeLessThan(before.descriptors + 100);
    await greeted();
  });
});

describe('a source', () => {
  test('that has said hello is no stranger, and makes room for the next', async () => {
    await listen({ unauthenticated: 1, connections: 3, unauthenticatedMs: 150 });
    const sources = [await greeted('one'), await greeted('two'), await greeted('three')];
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sources.every(({ socket }) => !socket.destroyed)).toBe(true);
    expect(await (await connected()).answer).toContain(
      'too many connections: this destination accepts 3 at once',
    );
  });

  test('that falls silent among its pages is hung up on, and its guest is discarded', async () => {
    await listen({ silenceMs: 300 });
    const { socket, answer } = await greeted();
    expect(held().threads).toBeGreaterThan(before.threads);
    socket.write(
      Buffer.concat([encodeFrame('zero', 1), encodeFrame('page', 2, Buffer.alloc(4096, 7)).subarray(0, 99)]),
    );
    expect(await answer).toContain("no answer for 0.3 s in state 'live'");
    await expect.poll(() => logged.at(-1)).toContain("guest 'small' did not arrive: no answer for 0.3 s");
    await expect.poll(() => held().threads).toBe(before.threads);
  });

  test('that says it is still there is kept for as long as it does', async () => {
    await listen({ silenceMs: 300 });
    const { socket, answer } = await greeted();
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(socket.destroyed).toBe(false);
      socket.write(encodeFrame('alive'));
    }
    expect(await answer).toContain('no answer for 0.3 s');
  });

  test('that falls silent after the commit leaves its guest running: it has no other home', async () => {
    await listen({ silenceMs: 300 });
    const { socket, answer } = await greeted();
    const digest = new StreamDigest(smallHello.migration, null).end(0, false);
    socket.write(encodeFrame('stop', 0, encodeStop({ guestTimeNs: 0, digest })));
    await once(socket, 'data');
    socket.write(encodeFrame('commit'));
    await answer;
    await expect
      .poll(() => logged.at(-1))
      .toContain("guest 'small' runs here; the source has disconnected (no answer for 0.3 s");
    expect(held().threads).toBeGreaterThan(before.threads);
  });
});

describe('memory', () => {
  test('is not set aside for what a header only announces', async () => {
    await listen({ unauthenticated: 50, connections: 50, unauthenticatedMs: 500 });
    const header = encodeFrame('hello').subarray(0, 16);
    header.writeUInt32LE(LARGEST_HELLO_BYTES, 12);
    const { arrayBuffers } = process.memoryUsage();
    const strangers = await Promise.all(
      Array.from({ length: 50 }, () => connected(header, Buffer.alloc(1_000))),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(2 * LARGEST_HELLO_BYTES);
    for (const { socket } of strangers) socket.destroy();
  });

  test.each([
    'page',
    'zero',
    'stop',
    'commit',
    'proof',
    'alive',
    'abort',
  ] as const)('a %s frame larger than its type allows is refused on its header', async (type) => {
    await listen({});
    const { socket, answer } = await greeted();
    const header = encodeFrame(type).subarray(0, 16);
    header.writeUInt32LE(1_000_000, 12);
    socket.write(header);
    expect(await answer).toContain(`a '${type}' frame of 1000000 bytes; expected`);
  });
});
