import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { HEADER_BYTES } from '../../src/core/wire/frames.ts';
import { tlsBytes } from '../../src/core/wire/tls-records.ts';
import { HostProcess } from '../faults/host-process.ts';
import { framesIn } from '../fixtures/frames-in.ts';
import { RecordingProxy } from '../fixtures/recording-proxy.ts';
import { smallSetup } from '../fixtures/setup.ts';
import { stranger } from '../fixtures/stranger.ts';

/** Two hosts in processes of their own that share a key, and between them somebody who reads and changes what passes. */
const key = randomBytes(32).toString('base64');
const { guest, plan } = smallSetup({
  guest: { name: 'the-name-of-the-guest' },
  plan: { observeNs: 0, verify: 'checksums', rateBytesPerSecond: null, stopRateBytesPerSecond: null },
});

let source: HostProcess;
let destination: HostProcess;
let proxy: RecordingProxy;

async function start(tls?: 'off'): Promise<void> {
  [source, destination] = await Promise.all([
    HostProcess.start({ key, tls }),
    HostProcess.start({ key, tls }),
  ]);
  await source.ask('boot', { guest, reservation: null });
}

const end = () => Promise.all([source.end(), destination.end()]);

const migrate = (port: number, tls?: 'off') =>
  source.ask('migrate', guest.name, plan, freeCpu, {
    ...{ host: '127.0.0.1', port, key, tls },
    silenceMs: 4_000,
  });

const statesAt = async (host: HostProcess) => (await host.ask('guests')).map(({ state }) => state);

afterEach(() => proxy.end());

describe('who reads everything between two hosts', () => {
  afterEach(end);

  test('sees every page and the name of the guest where TLS is off, and neither where it is not', async () => {
    await start('off');
    proxy = await RecordingProxy.to(destination.port);
    await migrate(proxy.port, 'off');
    const plain = proxy.recorded('toDestination');
    const pages = framesIn(plain).flatMap(({ type, payload }) => (type === 'page' ? [payload] : []));
    expect(pages.length).toBeGreaterThanOrEqual(guest.pages);
    expect(plain.includes(guest.name)).toBe(true);
    proxy.end();
    await end();

    await start();
    proxy = await RecordingProxy.to(destination.port);
    const course = await migrate(proxy.port);
    expect(course).toMatchObject({
      outcome: 'completed',
      link: { encryption: { kind: 'psk', protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } },
    });
    const encrypted = proxy.recorded('toDestination');
    expect(encrypted.length).toBeGreaterThan(guest.pages * guest.pageSizeBytes);
    expect(encrypted.includes(guest.name)).toBe(false);
    expect(encrypted.includes(Buffer.from(key, 'base64'))).toBe(false);
    // A guest of the same seed boots with the same bytes, and all its pages share them but for the first and the last word.
    const pattern = pages.at(-1)!.subarray(64, -64);
    const pieces = Array.from({ length: pattern.length / 16 }, (_, index) =>
      pattern.subarray(16 * index, 16 * index + 16),
    );
    expect(pages.filter((page) => page.includes(pattern)).length).toBeGreaterThan(guest.pages / 2);
    expect(pieces.filter((piece) => encrypted.includes(piece))).toEqual([]);
  });
});

describe('who changes one byte between two hosts', () => {
  beforeAll(() => start());
  afterAll(end);

  test.each([
    ['of the first message', { way: 'toDestination', at: 60 }],
    ['of the first answer', { way: 'toSource', at: 60 }],
    ['of the length of the first record', { way: 'toDestination', at: 4 }],
    ['of the hello', { way: 'toDestination', at: 600 }],
    ['of the first pages', { way: 'toDestination', at: 5_000 }],
    ['of later pages', { way: 'toDestination', at: 1_600_000 }],
    ['of the last pages', { way: 'toDestination', at: 3_200_000 }],
    ['of what is answered', { way: 'toSource', at: 330 }],
  ] as const)('%s ends the migration, and the guest goes on at its source', async (_, change) => {
    proxy = await RecordingProxy.to(destination.port, change);
    const course = await migrate(proxy.port).catch((cause: Error) => cause);
    expect(proxy.hasChanged).toBe(true);
    if (!(course instanceof Error)) expect(course).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(await statesAt(source)).toEqual(['running']);
    await expect.poll(() => statesAt(destination)).toEqual([]);
  });

  test('is named as the reason by the record', async () => {
    proxy = await RecordingProxy.to(destination.port, { way: 'toDestination', at: 1_600_000 });
    // Unless the destination's last word is lost with the connection.
    const { reason } = await migrate(proxy.port);
    expect(reason).toMatch(
      /the encrypted stream was changed on its way|^the destination closed the connection$/,
    );
  });

  test('and who says again what was said before starts nothing', async () => {
    proxy = await RecordingProxy.to(destination.port, { way: 'toDestination', at: 3_200_000 });
    await migrate(proxy.port);
    const { answer } = await stranger(destination.port, proxy.recorded('toDestination'));
    await answer;
    expect(await statesAt(destination)).toEqual([]);
  });

  test('of the answer to the commit makes the source ask, encrypted too, and the guest goes on at its destination', async () => {
    proxy = await RecordingProxy.to(destination.port);
    expect(await migrate(proxy.port)).toMatchObject({ outcome: 'completed', owner: 'destination' });
    const at = recordsOf(proxy.recorded('toSource')).find(({ bytes }) => bytes === RUNNING_BYTES)!.at + 20;
    proxy.end();
    await destination.ask('remove', guest.name);
    await source.ask('boot', { guest, reservation: null });

    proxy = await RecordingProxy.to(destination.port, { way: 'toSource', at });
    expect(await migrate(proxy.port)).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(proxy.hasChanged).toBe(true);
    expect(await statesAt(destination)).toEqual(['running']);
    expect(await statesAt(source)).toEqual([]);
  });
});

/** The answer to the commit: a header, two times of eight bytes, and what TLS adds. */
const RUNNING_BYTES = tlsBytes(HEADER_BYTES + 16);

/** The records of TLS in a stream: where each begins, and its length with its header. */
function recordsOf(stream: Buffer): { readonly at: number; readonly bytes: number }[] {
  const records = [];
  for (let at = 0; at + 5 <= stream.length; at += records.at(-1)!.bytes) {
    records.push({ at, bytes: 5 + stream.readUInt16BE(at + 3) });
  }
  return records;
}
