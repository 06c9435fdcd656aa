import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { encodeFrame } from '../../src/transport/frame-writer.ts';
import { json } from '../fixtures/stranger.ts';
import { HostProcess, type HostProcessOptions, type Target } from './host-process.ts';
import { definition, guest, Lane, plan } from './lane.ts';

/** Refused in set-up: the source's guest never notices, the reason is said, and the next attempt works. */
const lane = new Lane();
const others: HostProcess[] = [];

beforeAll(async () => {
  await lane.ready();
  await lane.source.ask('boot', definition);
});
afterEach(async () => {
  for (const other of others.splice(0)) await other.end();
});
afterAll(() => lane.end());

/** A destination with something about it. */
async function another(options: Omit<HostProcessOptions, 'journals'>): Promise<HostProcess> {
  const other = await HostProcess.start({ journals: join(lane.folder, 'other'), ...options });
  others.push(other);
  return other;
}

const at = (port: number, key: string | null = null): Target => ({ host: '127.0.0.1', port, key });

async function expectRefused(to: Target, why: string): Promise<void> {
  const { steps } = (await lane.at(lane.source))!;
  const migration = lane.source.ask('migrate', guest.name, plan, freeCpu, to);
  await expect(migration).rejects.toThrow(why);
  await expect.poll(async () => (await lane.at(lane.source))!.steps).toBeGreaterThan(steps);
  expect((await lane.at(lane.source))!.state).toBe('running');
  await lane.settled();
  await lane.migrate(lane.source, lane.destination);
  await lane.expectWhole(lane.destination);
  await lane.migrate(lane.destination, lane.source);
}

const keyOf = (letter: string) => Buffer.alloc(32, letter).toString('base64');

describe('refused in set-up', () => {
  test('nobody listens', async () => {
    const gone = await another({});
    await gone.end();
    await expectRefused(at(gone.port), `no destination at 127.0.0.1:${gone.port}: connect ECONNREFUSED`);
  });

  test('a guest of another size', async () => {
    const { port } = await another({ pages: 100 });
    await expectRefused(at(port), 'a guest of 200 pages of 4096 bytes; expected 100 pages of 4096 bytes');
  });

  test('pages of another size', async () => {
    const { port } = await another({ pageSizeBytes: 8192 });
    await expectRefused(at(port), 'expected 200 pages of 8192 bytes');
  });

  test('another version of the wire', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write(encodeFrame('hello', 0, json({ version: 9 }))));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expectRefused(at(port), 'the other end uses protocol version 9, this one 3');
    server.close();
  });

  test('another key, and none', async () => {
    const { port } = await another({ key: keyOf('a') });
    await expectRefused(at(port, keyOf('b')), 'wrong key');
    await expectRefused(at(port), 'the source does not encrypt, and this destination does');
  });

  test('a guest of that name is there', async () => {
    const other = await another({});
    await other.ask('boot', definition);
    await expectRefused(at(other.port), "a guest 'web' is already here or arriving");
  });

  test('the destination is out of memory', async (context) => {
    const other = await another({});
    const takenKiB = Number(/VmSize:\s+(\d+) kB/.exec(readFileSync(`/proc/${other.pid}/status`, 'utf8'))![1]);
    try {
      execFileSync('prlimit', ['--pid', `${other.pid}`, `--as=${(takenKiB + 24 * 1024) * 1024}`]);
    } catch (cause) {
      return context.skip(`prlimit: ${(cause as Error).message}`);
    }
    const large = { ...guest, name: 'large', pages: 16_384 };
    await lane.source.ask('boot', { guest: large, reservation: null });
    const target = at(other.port);
    const migration = lane.source.ask('migrate', 'large', { ...plan, pages: 16_384 }, freeCpu, target);
    await expect(migration).rejects.toThrow('not enough memory for a guest of 64 MiB');
    expect((await lane.source.ask('guests')).find(({ name }) => name === 'large')!.state).toBe('running');
    await lane.source.ask('remove', 'large');
  });

  test('its reservation cannot be had', async (context) => {
    const half = { scheduler: 'deadline', budgetNs: 6e6, periodNs: 10e6 } as const;
    const other = await another({});
    const reserved = { ...guest, name: 'reserved' };
    try {
      await lane.source.ask('boot', { guest: reserved, reservation: half });
      await other.ask('boot', { guest: { ...guest, name: 'first' }, reservation: half });
    } catch (cause) {
      await lane.source.ask('remove', 'reserved').catch(() => {});
      return context.skip(`no SCHED_DEADLINE here: ${(cause as Error).message}`);
    }
    let n = 0;
    try {
      for (; n < 16; n++) {
        await other.ask('boot', { guest: { ...guest, name: `further ${n}` }, reservation: half });
      }
    } catch {
      // The kernel has no more to give.
    }
    const migration = lane.source.ask('migrate', 'reserved', plan, freeCpu, at(other.port));
    await expect(migration).rejects.toThrow('the destination refused: guest: ');
    expect((await lane.source.ask('guests')).find(({ name }) => name === 'reserved')!.state).toBe('running');
    await lane.source.ask('remove', 'reserved');
  });

  test('it is being migrated already', async () => {
    const target = at(lane.destination.port);
    const first = lane.source.ask('migrate', guest.name, plan, freeCpu, target);
    const second = lane.source.ask('migrate', guest.name, plan, freeCpu, target);
    await expect(second).rejects.toThrow("guest 'web' is being migrated already");
    expect(await first).toMatchObject({ outcome: 'completed' });
    await lane.migrate(lane.destination, lane.source);
  });
});
