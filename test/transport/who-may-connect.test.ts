import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { LARGEST_HELLO_BYTES, NONCE_BYTES, WIRE_VERSION } from '../../src/core/wire/frames.ts';
import { Refusal } from '../../src/platform/failure.ts';
import { drive } from '../../src/run/drive.ts';
import { FrameReader } from '../../src/transport/frame-reader.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { isProofOf, proofOf, sourceChallenge } from '../../src/transport/proof.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../src/worlds/threads/threads-world.ts';
import type { World } from '../../src/worlds/world.ts';
import { framesIn, type ReceivedFrame } from '../fixtures/frames-in.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { json, smallHello, stranger } from '../fixtures/stranger.ts';

/** Who may connect where nothing is encrypted: frames prove the key. `encryption.test.ts` has the rest. */
const key = randomBytes(32);
const otherKey = randomBytes(32);
let destination: Host;
let logged: string[];
let server: Server | undefined;

async function listen(withKey: Uint8Array | undefined): Promise<number> {
  logged = [];
  destination = await Host.listen({
    host: '127.0.0.1',
    port: 0,
    key: withKey,
    tls: 'off',
    log: (line) => logged.push(line),
  });
  return destination.address.port;
}

beforeEach(async () => {
  await listen(key);
});
afterEach(async () => {
  server?.close();
  await destination.close();
});

function worldTowards(port: number, withKey: Uint8Array | null): Promise<World> {
  const { guest, plan } = smallSetup();
  return threadsWorld(
    { guest, plan, cpu: freeCpu },
    { to: { host: '127.0.0.1', port, key: withKey, tls: 'off' }, viewerHost: '127.0.0.1' },
  );
}

const here = () => destination.address.port;
const lastLine = () => expect.poll(() => logged.at(-1));

/** Passes everything on both ways; `met` sees what each end has said. */
async function between(met: { toDestination: Buffer[]; toSource: Buffer[] }): Promise<number> {
  server = createServer((source) => {
    const onward = connect(here(), '127.0.0.1');
    source.on('data', (chunk: Buffer) => met.toDestination.push(chunk));
    onward.on('data', (chunk: Buffer) => met.toSource.push(chunk));
    source.pipe(onward).pipe(source);
    for (const socket of [source, onward]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

describe('two ends with the same key', () => {
  test('migrate', async () => {
    const world = await worldTowards(here(), key);
    const course = await drive(smallSetup().plan, world);
    expect(course).toMatchObject({ outcome: 'completed', verified: { memory: 'identical' } });
    await world.close();
    await lastLine().toContain('arrived, ran and was retired');
  });

  test('never show the key or a proof twice', async () => {
    const said: Buffer[] = [];
    for (let run = 0; run < 2; run++) {
      const met = { toDestination: [] as Buffer[], toSource: [] as Buffer[] };
      const world = await worldTowards(await between(met), key);
      await world.close();
      server!.close();
      said.push(Buffer.concat(met.toDestination), Buffer.concat(met.toSource));
    }
    for (const stream of said) expect(stream.includes(key)).toBe(false);
    const proofs = said.map((stream) => framesIn(stream).find(({ type }) => type === 'proof')!.payload);
    expect(new Set(proofs.map((proof) => proof.toString('hex'))).size).toBe(4);
  });
});

describe('refused in set-up, with a reason at both ends', () => {
  test('another key', async () => {
    const reason = 'wrong key: source and destination have different keys';
    await expect(worldTowards(here(), otherKey)).rejects.toThrow(`the destination refused: ${reason}`);
    await lastLine().toContain(`did not arrive: ${reason}`);
  });

  test('no key where one is asked for', async () => {
    const reason = 'this destination has a key and the source has none';
    await expect(worldTowards(here(), null)).rejects.toThrow(`the destination refused: ${reason}`);
    await lastLine().toContain(reason);
  });

  test('a key where the other has none', async () => {
    await destination.close();
    const reason = 'the source has a key and this destination has none';
    await expect(worldTowards(await listen(undefined), key)).rejects.toThrow(
      `the destination refused: ${reason}`,
    );
    await lastLine().toContain(reason);
  });

  test('a destination that only pretends to have the key: it never hears what guest there is', async () => {
    for (const forged of [(proof: Buffer) => proof, () => randomBytes(32)]) {
      const heard = await pretender(forged);
      await expect(worldTowards((server!.address() as { port: number }).port, key)).rejects.toThrow(
        "wrong key: the destination could not prove that it has the source's key",
      );
      await expect.poll(() => heard.map(({ type }) => type)).toEqual(['challenge', 'proof', 'abort']);
      server!.close();
    }
  });

  /** Takes any proof, and answers it with what `forged` makes of it: sending it back is the simplest. */
  async function pretender(forged: (proof: Buffer) => Buffer): Promise<ReceivedFrame[]> {
    const heard: ReceivedFrame[] = [];
    server = createServer((socket: Socket) => {
      const reader = new FrameReader(({ type, argument }, payload) => {
        heard.push({ type, payload: Buffer.from(payload) });
        if (type === 'challenge') socket.write(encodeFrame('challenge', argument, randomBytes(NONCE_BYTES)));
        if (type === 'proof') socket.write(encodeFrame('proof', 0, forged(Buffer.from(payload))));
      });
      socket.on('data', (chunk: Buffer) => reader.read(chunk)).on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return heard;
  }
});

describe('a destination with a key refuses', () => {
  test('all that an honest source has said, said again', async () => {
    const met = { toDestination: [] as Buffer[], toSource: [] as Buffer[] };
    const world = await worldTowards(await between(met), key);
    await world.close();
    const [challenge, proof] = framesIn(Buffer.concat(met.toDestination));
    const { socket, heard, answer } = await stranger(
      here(),
      encodeFrame('challenge', WIRE_VERSION, challenge!.payload),
    );
    await expect.poll(() => framesIn(heard()).length).toBe(1);
    socket.write(encodeFrame('proof', 0, proof!.payload));
    expect(await answer).toContain('wrong key');
    const atOnce = await stranger(here(), Buffer.concat(met.toDestination));
    expect(await atOnce.answer).toContain("'proof' while challenging; expected 'abort'");
  });

  test('its own proof from another connection, handed back', async () => {
    const { socket, heard, answer } = await stranger(
      here(),
      encodeFrame('challenge', WIRE_VERSION, sourceChallenge(json(smallHello))),
    );
    await expect.poll(() => framesIn(heard()).length).toBe(1);
    const challenges = {
      source: sourceChallenge(json(smallHello)),
      destination: framesIn(heard())[0]!.payload,
    };
    socket.write(encodeFrame('proof', 0, proofOf('destination', key, challenges)));
    expect(await answer).toContain('wrong key');
  });

  test('another hello than the one that was proved', async () => {
    const source = sourceChallenge(json(smallHello));
    const { socket, heard, answer } = await stranger(here(), encodeFrame('challenge', WIRE_VERSION, source));
    await expect.poll(() => framesIn(heard()).length).toBe(1);
    const challenges = { source, destination: framesIn(heard())[0]!.payload };
    socket.write(encodeFrame('proof', 0, proofOf('source', key, challenges)));
    await expect.poll(() => framesIn(heard()).length).toBe(2);
    expect(isProofOf('destination', key, challenges, framesIn(heard())[1]!.payload)).toBe(true);
    socket.write(encodeFrame('hello', 0, json({ ...smallHello, guest: { ...smallHello.guest, seed: 99 } })));
    expect(await answer).toContain("the hello differs from the one in the source's challenge");
  });

  test('a large hello before the proof, on its header alone', async () => {
    for (const frames of [[], [encodeFrame('challenge', WIRE_VERSION, sourceChallenge(json(smallHello)))]]) {
      const header = encodeFrame('hello').subarray(0, 16);
      header.writeUInt32LE(LARGEST_HELLO_BYTES, 12);
      const { socket, heard, answer } = await stranger(here(), ...frames);
      await expect.poll(() => framesIn(heard()).length).toBe(frames.length);
      socket.write(header);
      expect(await answer).toMatch(/this destination has a key|'hello' while challenged; expected 'proof'/);
    }
  });

  test('another version of the wire, naming both; and a challenge that is none', async () => {
    const challenge = sourceChallenge(json(smallHello));
    const newer = await stranger(here(), encodeFrame('challenge', 7, challenge));
    expect(await newer.answer).toContain('the other end uses protocol version 7, this one 3');
    const short = await stranger(
      here(),
      encodeFrame('challenge', WIRE_VERSION, challenge.subarray(0, NONCE_BYTES)),
    );
    expect(await short.answer).toContain("'challenge' frame of 32 bytes from the source; expected 64");
  });
});

describe('a destination without a key', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1'])('does not listen on %s', async (host) => {
    const listening = Host.listen({ host, port: 0, log: () => {} });
    await expect(listening).rejects.toThrow(Refusal);
    await expect(listening).rejects.toThrow(
      'needs a key: give one with --key-file, or certificates with --tls-cert, or listen on 127.0.0.1',
    );
  });

  test.each(['127.0.0.2', 'localhost'])('listens on %s', async (host) => {
    const other = await Host.listen({ host, port: 0, log: () => {} });
    await other.close();
  });

  test('with a key it listens where it is told', async () => {
    const other = await Host.listen({ host: '0.0.0.0', port: 0, key, log: () => {} });
    expect(other.address.host).toBe('0.0.0.0');
    await other.close();
  });
});
