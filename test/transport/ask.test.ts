import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FrameType, frameTypes, WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { inSegments } from '../../src/platform/segmented-memory.ts';
import type { Credentials } from '../../src/transport/credentials.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { Sender } from '../../src/transport/sender.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { json, type Stranger, smallHello, stranger } from '../fixtures/stranger.ts';

/** A commit is not answered, and what became of it is asked for over another connection. */
const thread = { checkpoint: () => {}, block: () => {}, unblock: () => {} };
const key = randomBytes(32);
const { migration, guest } = smallHello;
let destination: Host;
let logged: string[];
const relays: Server[] = [];

async function listen(credentials: Credentials = { key: null }): Promise<number> {
  logged = [];
  const log = (line: string) => logged.push(line);
  destination = await Host.listen({ host: '127.0.0.1', port: 0, ...credentials, log });
  return destination.address.port;
}

let port: number;
beforeEach(async () => {
  port = await listen();
});
afterEach(async () => {
  for (const relay of relays.splice(0)) relay.close();
  await destination.close();
});

const question = (name: string, version = WIRE_VERSION) => encodeFrame('ask', version, Buffer.from(name));
const typesIn = (bytes: Buffer) => frameTypes[bytes.readUInt32LE(4) - 1];

/** Passes everything on; once told so, hangs up instead of passing on what the destination says next. */
async function relayTo(port: number): Promise<{ readonly port: number; loseNextAnswer(): void }> {
  let loses = false;
  const relay = createServer((source) => {
    const onward = connect(port, '127.0.0.1');
    source.pipe(onward);
    onward.on('data', (chunk: Buffer) => {
      if (!loses) return source.write(chunk);
      loses = false;
      source.destroy();
      return onward.destroy();
    });
    for (const [one, other] of [
      [source, onward],
      [onward, source],
    ] as [Socket, Socket][]) {
      one.on('error', () => {}).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  relays.push(relay);
  await once(relay, 'listening');
  const { port: at } = relay.address() as { port: number };
  return {
    port: at,
    loseNextAnswer: () => {
      loses = true;
    },
  };
}

/** A whole guest at the destination, that waits for the commit. */
async function readyToCommit(at: number, credentials: Credentials): Promise<Sender> {
  const { pages: count, pageSizeBytes } = guest;
  const memory = inSegments(Buffer.alloc(count * pageSizeBytes), pageSizeBytes);
  const source = { memory, clear: () => {} };
  const sender = new Sender(source, 65_536, { thread, cpuPerPageNs: 0, cpuPerHandoverNs: 0 });
  await sender.greet({ host: '127.0.0.1', port: at, ...credentials, silenceMs: 5_000 }, smallHello);
  const pages = Uint32Array.from({ length: guest.pages }, (_, page) => page);
  await sender.sendPages({ pages, rateBytesPerSecond: null, clears: false, endsRound: true });
  await sender.stop(0, true);
  return sender;
}

describe('a source that has not heard what became of its commit', () => {
  test('asks, and goes on with the guest that is there', async () => {
    const relay = await relayTo(port);
    const sender = await readyToCommit(relay.port, { key: null });
    relay.loseNextAnswer();
    expect(await sender.commit()).toMatchObject({ kind: 'running' });
    expect(await sender.retire()).toMatchObject({ heartbeats: expect.any(Number) });
    const later = await stranger(port, question(migration));
    expect(await later.answer).toContain('does not know the outcome of that migration');
  });

  test.each([
    ['encrypted', undefined, 'the source does not encrypt'],
    ['in plain', 'off', "'ask' while locked; expected 'challenge'"],
  ] as const)('proves first that it has the key, where there is one: %s', async (_, tls, refusal) => {
    await destination.close();
    const credentials = { key, tls };
    port = await listen(credentials);
    const relay = await relayTo(port);
    const sender = await readyToCommit(relay.port, credentials);
    relay.loseNextAnswer();
    expect(await sender.commit()).toMatchObject({ kind: 'running' });
    await sender.retire();
    const keyless = await stranger(port, question(migration));
    expect(await keyless.answer).toContain(refusal);
  });
});

describe('a destination that is asked', () => {
  /** Has said hello and been answered; its connection stays open. */
  async function greeted(): Promise<Stranger> {
    const source = await stranger(port, encodeFrame('hello', 0, json(smallHello)));
    await expect.poll(() => source.heard().length).toBeGreaterThan(0);
    return source;
  }

  test('first ends the old connection, throws away what it had, and gives the guest back', async () => {
    const source = await greeted();
    const asking = await stranger(port, question(migration));
    const answer: FrameType = 'returned';
    await asking.answer;
    expect(typesIn(asking.heard())).toBe(answer);
    expect(await source.answer).toContain('the source asks over another connection');
    await expect.poll(() => logged).toContainEqual(expect.stringContaining("guest 'small' did not arrive"));
    // What it has said stays true, and the name is free.
    const again = await stranger(port, question(migration));
    await again.answer;
    expect(typesIn(again.heard())).toBe(answer);
    await greeted();
  });

  test('says so of a migration that it does not know, and of another version', async () => {
    const unknown = await stranger(port, question('no such'));
    expect(await unknown.answer).toContain('this destination does not know the outcome of that migration');
    const newer = await stranger(port, question(migration, 9));
    expect(await newer.answer).toContain('the other end uses protocol version 9, this one 3');
  });
});
