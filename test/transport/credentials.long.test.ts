import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { drive } from '../../src/run/drive.ts';
import { connected } from '../../src/transport/connect.ts';
import type { Credentials } from '../../src/transport/credentials.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import type { Limits } from '../../src/transport/limits.ts';
import { Host } from '../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../src/worlds/threads/threads-world.ts';
import type { World } from '../../src/worlds/world.ts';
import { CertificateAuthority, contentsOf } from '../fixtures/certificates.ts';
import { has } from '../fixtures/daemons.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { json, smallHello, stranger } from '../fixtures/stranger.ts';

/** A destination and a source with any credentials: what each of them says where they do not match. */
const key = randomBytes(32);
const withKey: Credentials = { key };
const withOtherKey: Credentials = { key: randomBytes(32) };
const withNothing: Credentials = { key: null };
const keyWithoutTls: Credentials = { key, tls: 'off' };

let destination: Host | undefined;
let server: Server | undefined;
let logged: string[];

async function listen(credentials: Credentials, limits: Partial<Limits> = {}): Promise<number> {
  logged = [];
  const log = (line: string) => logged.push(line);
  destination = await Host.listen({ host: '127.0.0.1', port: 0, ...credentials, limits, log });
  return destination.address.port;
}

afterEach(async () => {
  server?.close();
  await destination?.close();
  destination = undefined;
});

function worldTowards(port: number, credentials: Credentials, host = '127.0.0.1'): Promise<World> {
  const { guest, plan } = smallSetup();
  return threadsWorld(
    { guest, plan, cpu: freeCpu },
    { to: { host, port, ...credentials }, viewerHost: '127.0.0.1' },
  );
}

/** What both say of it. */
async function refusal(
  here: Credentials,
  there: Credentials,
): Promise<{ source: string; destination: string }> {
  const port = await listen(there);
  const world = await worldTowards(port, here).catch((cause: Error) => cause);
  if (!(world instanceof Error)) {
    await world.close();
    throw new Error('it was not refused');
  }
  await expect.poll(() => logged.length).toBe(1);
  return { source: world.message, destination: logged[0]! };
}

describe('refused in set-up, with a reason at both ends', () => {
  test.each<[string, Credentials, Credentials, string, string]>([
    ['another key', withOtherKey, withKey, 'wrong key: source and dest', 'wrong key: source and dest'],
    [
      'no key where one is asked for',
      withNothing,
      withKey,
      'the destination refused: the source does not encrypt, and this destination does: give both the same key',
      'the source does not encrypt',
    ],
    [
      'a key where the destination has none',
      withKey,
      withNothing,
      'the destination does not encrypt, and this source does: give both the same key',
      'the source encrypts, and this destination does not',
    ],
    [
      'TLS turned off at the source only, though both have the key',
      keyWithoutTls,
      withKey,
      'the destination refused: the source does not encrypt, and this destination does',
      'the source does not encrypt',
    ],
    [
      'TLS turned off at the destination only, though both have the key',
      withKey,
      keyWithoutTls,
      'the destination does not encrypt, and this source does',
      'the source encrypts, and this destination does not',
    ],
    [
      'another key where TLS is off',
      { ...withOtherKey, tls: 'off' },
      keyWithoutTls,
      'the destination refused: wrong key',
      'wrong key',
    ],
  ])('%s', async (_, here, there, source, dest) => {
    const said = await refusal(here, there);
    expect(said.source).toContain(source);
    expect(said.destination).toContain(dest);
  });
});

describe('an older protocol', () => {
  test.each([
    'TLSv1.2',
    'TLSv1.1',
  ] as const)('%s is not accepted, also with the right key', async (version) => {
    const port = await listen(withKey);
    const socket = connectTls({
      ...{ host: '127.0.0.1', port, minVersion: version, maxVersion: version },
      ciphers: 'PSK:@SECLEVEL=0',
      pskCallback: () => ({ psk: key, identity: 'switchover' }),
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/ALERT_PROTOCOL_VERSION/);
    await expect
      .poll(() => logged.at(-1))
      .toContain('refused: no encrypted connection: unsupported protocol');
  });

  test('is not spoken by a source either', async () => {
    const hello = new Promise<Buffer>((resolve) => {
      server = createServer((socket) => {
        socket
          .on('error', () => {})
          .once('data', (chunk: Buffer) => {
            resolve(chunk);
            socket.destroy();
          });
      }).listen(0, '127.0.0.1');
    });
    await once(server!, 'listening');
    const { port } = server!.address() as { port: number };
    await expect(connected({ host: '127.0.0.1', port, ...withKey })).rejects.toThrow(
      'the destination hung up during the TLS handshake',
    );
    // The extension supported_versions (RFC 8446, 4.2.1) with TLS 1.3 as the only one.
    expect((await hello).includes(Buffer.from('002b0003020304', 'hex'))).toBe(true);
  });
});

describe('session keys', () => {
  test('are not made from the key alone: who learns it later cannot read what was recorded', async () => {
    const port = await listen(withKey);
    const socket = await connected({ host: '127.0.0.1', port, ...withKey });
    expect((socket as ReturnType<typeof connectTls>).getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH' });
    socket.destroy();
  });
});

describe('a stranger at a destination that encrypts', () => {
  test.each([
    ['says nothing', Buffer.alloc(0)],
    ['stops in the middle of its first message', Buffer.from('16030100f8010000f4', 'hex')],
    ['stops before it can be told what it speaks', Buffer.from('160301', 'hex')],
  ])('who %s is hung up on', async (_, words) => {
    const { answer } = await stranger(await listen(withKey, { unauthenticatedMs: 200 }), words);
    await answer;
    await expect.poll(() => logged.at(-1)).toContain('refused: unauthenticated for 0.2 s');
  });

  test('is one still until the handshake has ended: of these there are only so many', async () => {
    const port = await listen(withKey, { unauthenticated: 1, connections: 4, unauthenticatedMs: 60_000 });
    const first = await stranger(port, Buffer.from('16030100f8', 'hex'));
    await expect(worldTowards(port, withKey)).rejects.toThrow(
      'the destination accepts no more connections now',
    );
    expect(logged.at(-1)).toContain('refused: too many unauthenticated connections');
    first.socket.destroy();
    await expect.poll(() => logged.at(-1)).toContain('the source hung up during the TLS handshake');
    await (await worldTowards(port, withKey)).close();
  });

  test('who says hello in plain is told so in plain, and its hello is not looked at', async () => {
    const port = await listen(withKey);
    const { answer } = await stranger(port, encodeFrame('hello', 0, json(smallHello)));
    expect(await answer).toContain('the source does not encrypt, and this destination does');
    expect(destination!.guests()).toEqual([]);
  });

  test('who sends noise is hung up on', async () => {
    const port = await listen(withKey);
    for (const noise of [
      randomBytes(2_000),
      Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(2_000)]),
    ]) {
      const { answer } = await stranger(port, noise);
      await answer;
    }
    await (await worldTowards(port, withKey)).close();
  });
});

test('a source does not wait without end for a destination that says nothing', async () => {
  server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(connected({ host: '127.0.0.1', port, ...withKey, silenceMs: 200 })).rejects.toThrow(
    'no encrypted connection: no answer in 0.2 s',
  );
});

describe.skipIf(!has('openssl', 'version'))('certificates', () => {
  let authority: CertificateAuthority;
  let other: CertificateAuthority;
  let withCertificate: Credentials;
  beforeAll(() => {
    [authority, other] = [new CertificateAuthority(), new CertificateAuthority()];
    withCertificate = certified(authority, 'good');
  });
  afterAll(() => {
    authority.end();
    other.end();
  });

  const certified = (by: CertificateAuthority, ...issued: Parameters<CertificateAuthority['issue']>) => ({
    key: null,
    tls: contentsOf(by.issue(...issued)),
  });

  test('of the same authority: a migration', async () => {
    const port = await listen(withCertificate);
    const world = await worldTowards(port, certified(authority, 'source', 'DNS:elsewhere'));
    const course = await drive(smallSetup().plan, world);
    expect(course).toMatchObject({
      outcome: 'completed',
      link: { encryption: { kind: 'certificate', protocol: 'TLSv1.3' } },
    });
    await world.close();
    await expect.poll(() => logged.at(-1)).toContain('retired; encrypted from certificates (TLSv1.3, ');
  });

  test('and a key: within TLS the key must be proved', async () => {
    const port = await listen({ ...withCertificate, key });
    await (await worldTowards(port, { ...withCertificate, key })).close();
    await expect(worldTowards(port, withCertificate)).rejects.toThrow('this destination has a key');
    const wrong = { ...withCertificate, key: randomBytes(32) };
    await expect(worldTowards(port, wrong)).rejects.toThrow('wrong key');
  });

  test('are looked at even where the environment tells Node not to', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const foreign = certified(other, 'foreign-again');
      expect((await refusal(withCertificate, foreign)).source).toContain('is not trusted');
      await destination!.close();
      expect((await refusal(withKey, foreign)).source).toContain('the destination has a certificate');
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  test('are for names: a destination is reached by one of them, or not at all', async () => {
    const port = await listen(certified(authority, 'named', 'DNS:localhost'));
    await (await worldTowards(port, withCertificate, 'localhost')).close();
    await expect(worldTowards(port, withCertificate)).rejects.toThrow(
      /^127.0.0.1:\d+: the destination's certificate is for another host \(.*127\.0\.0\.1.*\): use a name that it is for/,
    );
    const byDetour = { ...withCertificate, certifiedHost: 'localhost' };
    await (await worldTowards(port, byDetour)).close();
  });

  test('refused: expired, of another authority, or none, at either end', async () => {
    const expired = certified(authority, 'old', 'IP:127.0.0.1', '210101000000Z');
    const foreign = certified(other, 'foreign');
    const trustsAll = (those: typeof foreign): Credentials => ({
      key: null,
      tls: { ...those.tls, ca: those.tls.ca + contentsOf(authority.issue('any')).ca },
    });
    const cases: [Credentials, Credentials, RegExp][] = [
      [expired, withCertificate, /refused: the source's certificate has expired: renew it/],
      [withCertificate, expired, /: the destination's certificate has expired: renew it/],
      [trustsAll(foreign), withCertificate, /refused: the source's certificate is not trusted \(/],
      [withCertificate, foreign, /: the destination's certificate is not trusted \(/],
      [withKey, withCertificate, /: the destination has a certificate, and this source a key: give both/],
      [withCertificate, withKey, /: the destination has no certificate, and this source has one: give both/],
      [withNothing, withCertificate, /refused: the source does not encrypt.*give certificates to both/],
      [withCertificate, withNothing, /: the destination does not encrypt.*give certificates to both/],
    ];
    for (const [here, there, message] of cases) {
      expect((await refusal(here, there)).source).toMatch(message);
      await destination!.close();
    }
  });

  test('refused: a source that shows none', async () => {
    const port = await listen(withCertificate);
    const { ca } = withCertificate.tls as { ca: string };
    const socket = connectTls({ host: '127.0.0.1', port, ca });
    const said: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => said.push(chunk)).on('error', () => {});
    await once(socket, 'close');
    expect(Buffer.concat(said).toString('latin1')).toContain('the source has no certificate');
    expect(logged.at(-1)).toContain(
      'refused: the source has no certificate, and this destination asks for one',
    );
  });
});

test('whatever the first bytes are, a plain destination says that it is asked for TLS, or that it is no frame', async () => {
  const port = await listen(withNothing);
  const socket = connect(port, '127.0.0.1');
  const said = once(socket, 'data');
  socket.write(Buffer.concat([Buffer.from('160303', 'hex'), Buffer.alloc(40, 9)]));
  expect(String((await said)[0])).toContain('not a frame: unknown type');
  socket.destroy();
});
