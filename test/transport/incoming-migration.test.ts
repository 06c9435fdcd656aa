import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { drive } from '../../src/run/drive.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../src/worlds/threads/threads-world.ts';
import type { World } from '../../src/worlds/world.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { json, smallHello, stranger as strangerTo } from '../fixtures/stranger.ts';

/** Real sockets, a real destination; the other end is a stranger, or a wire that is not to be trusted. */
const { guest, plan } = smallSetup();
const hello = smallHello;
let destination: Host;
let logged: Promise<string>;

beforeEach(async () => {
  await listen({});
});
afterEach(() => destination.close());

async function listen(options: { pages?: number; pageSizeBytes?: number }): Promise<void> {
  let log: (line: string) => void = () => {};
  logged = new Promise((resolve) => {
    log = resolve;
  });
  destination = await Host.listen({ host: '127.0.0.1', port: 0, log, ...options });
}

const stranger = (...frames: Buffer[]) => strangerTo(destination.address.port, ...frames);

describe('a destination refuses in one clear line', () => {
  test('what is not a frame', async () => {
    const { answer } = await stranger(Buffer.from('GET / HTTP/1.1\r\nHost: somewhere\r\n\r\n'));
    expect(await answer).toContain('not a frame');
    expect(await logged).toContain('did not arrive: not a frame');
  });

  test('another version of the wire', async () => {
    const { answer } = await stranger(encodeFrame('hello', 0, json({ ...hello, version: 1 })));
    expect(await answer).toContain('the other end uses protocol version 1, this one 3');
  });

  test('a guest that makes no sense, naming the place', async () => {
    const { answer } = await stranger(
      encodeFrame('hello', 0, json({ ...hello, guest: { ...guest, pages: -1 } })),
    );
    expect(await answer).toContain('hello: guest.pages');
  });

  test('a guest larger than this host', async () => {
    const { answer } = await stranger(
      encodeFrame('hello', 0, json({ ...hello, guest: { ...guest, pages: 2 ** 31 } })),
    );
    expect(await answer).toContain('not enough memory for a guest of 8 TiB: guests may have');
  });

  test('a guest of another size than it was made for', async () => {
    await destination.close();
    await listen({ pages: 500 });
    const { answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    expect(await answer).toContain('a guest of 800 pages of 4096 bytes; expected 500 pages');
  });

  test('a frame out of turn, saying what would have been right', async () => {
    const { answer } = await stranger(encodeFrame('commit'));
    expect(await answer).toContain("'commit' while new; expected 'hello'");
  });

  test('a page that the guest does not have', async () => {
    const { socket, answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.write(encodeFrame('zero', 800));
    expect(await answer).toContain('page 800, but the guest has 800 pages');
  });

  test('a stop whose digest is not that of the pages received', async () => {
    const { socket, answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.write(Buffer.concat([encodeFrame('zero', 1), encodeFrame('stop', 0, Buffer.alloc(24))]));
    expect(await answer).toContain('wrong digest');
  });

  test('a round whose digest is not that of the pages received', async () => {
    const { socket, answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.write(Buffer.concat([encodeFrame('zero', 1), encodeFrame('round', 1, Buffer.alloc(16))]));
    expect(await answer).toContain('wrong digest');
  });

  test('a round without a digest', async () => {
    const { socket, answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.write(encodeFrame('round', 1));
    expect(await answer).toContain('wrong digest');
  });

  test('state beyond the pages of a guest that has none', async () => {
    const { socket, answer } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.write(encodeFrame('state', 0, Buffer.alloc(100)));
    expect(await answer).toContain("a 'state' frame for a guest without state");
  });

  test('a stream cut inside a frame', async () => {
    const { socket } = await stranger(encodeFrame('hello', 0, json(hello)));
    await once(socket, 'data');
    socket.end(encodeFrame('page', 1, Buffer.alloc(4096, 1)).subarray(0, 2000));
    expect(await logged).toContain('the stream ended inside a frame');
  });

  test('and then takes in the next migration all the same', async () => {
    await (await stranger(Buffer.from('nonsense, nonsense'))).answer;
    const world = await worldTowards(destination.address.port);
    expect(await drive(plan, world)).toMatchObject({
      outcome: 'completed',
      verified: { memory: 'identical' },
    });
    await world.close();
  });
});

describe('a source whose wire or destination fails', () => {
  let proxy: Server | undefined;
  afterEach(() => {
    proxy?.close();
  });

  /** Passes bytes on, each chunk through `meddle`, which may also hang up. */
  async function proxied(meddle: (chunk: Buffer, sentBytes: number, hangUp: () => void) => Buffer) {
    let sentBytes = 0;
    proxy = createServer((source) => {
      const onward = connect(destination.address.port, '127.0.0.1');
      const hangUp = () => {
        source.destroy();
        onward.destroy();
      };
      source.on('data', (chunk: Buffer) => {
        sentBytes += chunk.length;
        onward.write(meddle(chunk, sentBytes, hangUp));
      });
      onward.pipe(source);
      for (const socket of [source, onward]) socket.on('error', hangUp).on('close', hangUp);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return (proxy.address() as { port: number }).port;
  }

  test('a corrupt byte in round one: the record says so and the guest runs on at the source', async () => {
    const port = await proxied((chunk, sentBytes) => {
      if (sentBytes > 1_000_000) chunk[chunk.length >> 1]! ^= 4;
      return chunk;
    });
    await expectUnharmed(port, /the destination refused: (a '.*' frame|not a frame|checksum|.*wrong digest)/);
  });

  test('a connection cut in round one: the same', async () => {
    const port = await proxied((chunk, sentBytes, hangUp) => {
      if (sentBytes > 1_000_000) hangUp();
      return chunk;
    });
    await expectUnharmed(port, /the connection broke|the destination closed the connection/);
  });

  test('nobody there: a failure before anything starts, with the address in it', async () => {
    const { port } = destination.address;
    await destination.close();
    await expect(worldTowards(port)).rejects.toThrow(
      `no destination at 127.0.0.1:${port}: connect ECONNREFUSED`,
    );
    await listen({});
  });

  test('a port in use: the destination says which', async () => {
    const { port } = destination.address;
    await expect(Host.listen({ host: '127.0.0.1', port, log: () => {} })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
    );
  });

  test('a destination of another version: refused, naming both', async () => {
    proxy = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(encodeFrame('hello', 0, json({ version: 9 }))));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as { port: number };
    await expect(worldTowards(port)).rejects.toThrow('the other end uses protocol version 9, this one 3');
  });

  async function expectUnharmed(port: number, reason: RegExp): Promise<void> {
    const world = await worldTowards(port);
    const course = await drive(plan, world);
    expect(course).toMatchObject({ outcome: 'failed', owner: 'source', downtimeNs: 0 });
    expect(course.reason).toMatch(reason);
    expect(course.outage).toMatchObject({ lostHeartbeats: 0, repeatedHeartbeats: 0 });
    await world.close();
  }
});

function worldTowards(port: number): Promise<World> {
  return threadsWorld(
    { guest, plan, cpu: freeCpu },
    { to: { host: '127.0.0.1', port, key: null }, viewerHost: '127.0.0.1' },
  );
}
