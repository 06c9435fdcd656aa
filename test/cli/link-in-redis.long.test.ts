import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ledger } from '../../src/core/link/ledger.ts';
import { LeaseClient } from '../../src/run/lease-client.ts';
import { redisStore } from '../../src/run/redis-store.ts';
import { held, mostGranted, recordsIn } from '../fixtures/admissions.ts';
import { type Ended, main, root, switchover } from '../fixtures/command.ts';
import { noRedis, RedisServer } from '../fixtures/redis-server.ts';
import { idle } from '../fixtures/three-guests.ts';

const MBIT = 125_000;
const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

function scenario(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const pair = (link: string, rate: string, pages: number) => `
describe: Guests of one daemon over a link that others use too
guest: { pages: ${pages}, program: ${idle} }
link: { name: ${link}, capacity: 100Mbit/s, rate: ${rate} }
fleet: [{ count: 2 }]
migration: { order: address }
`;

describe.skipIf(noRedis !== undefined)(
  'two processes over one link, their ledger in Redis',
  { retry: 1, timeout: 300_000 },
  () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await RedisServer.start();
    });
    afterAll(() => redis.end());

    let links = 0;
    const freshLink = () => `shared-${++links}`;
    const arguments_ = (file: string) => [
      'run',
      file,
      '--world',
      'threads',
      '--redis',
      redis.url,
      '--json',
      '-',
      '--quiet',
    ];

    /** A run that the test can stop or kill; it ends with it. */
    function start(file: string): { child: ChildProcess; output: Promise<string> } {
      const child = spawn(process.execPath, [main, ...arguments_(file)], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout!.on('data', (text) => {
        said += text;
      });
      return { child, output: new Promise((resolve) => child.once('close', () => resolve(said))) };
    }

    async function ledgerOf(link: string): Promise<Ledger> {
      const store = await redisStore(redis.url, link, 100 * MBIT);
      try {
        return (await store.update((ledger) => ledger)).ledger;
      } finally {
        await store.close();
      }
    }

    const patiently = { timeout: 100_000 };
    const queued = async (link: string) => (await ledgerOf(link)).queue.length;

    /** Keeps everybody waiting, until told to let them in once so many are: so they meet, however slowly they start. */
    async function meet(link: string, count: number): Promise<() => Promise<void>> {
      const store = await redisStore(redis.url, link, 100 * MBIT);
      const rates = {
        rateBytesPerSecond: 80 * MBIT,
        stopRateBytesPerSecond: 80 * MBIT,
        leastBytesPerSecond: 1,
      };
      const holder = new LeaseClient(
        store,
        { id: 'the test', ...rates, priority: 1, queueTimeoutNs: null },
        () => {},
      );
      expect(await holder.admit()).toBeUndefined();
      return async () => {
        await expect.poll(() => queued(link), patiently).toBe(count);
        await holder.leave();
        await store.close();
      };
    }

    test('never exceed it together, though each wants most of it', async () => {
      const link = freshLink();
      const open = await meet(link, 4);
      const file = scenario('both.yaml', pair(link, '40Mbit/s', 1_200));
      const both = [switchover(...arguments_(file)), switchover(...arguments_(file))];
      await open();
      const [one, other] = await Promise.all(both);
      expect([one!.code, other!.code]).toEqual([0, 0]);
      const records = [...recordsIn(one!.stdout), ...recordsIn(other!.stdout)];
      expect(records.map(({ outcome }) => outcome)).toEqual(Array(4).fill('completed'));
      // Each kept to its reservation over every interval, and the reservations fit at every instant: so do all together.
      for (const { link } of records) expect(link.worstExcessBytes).toBeLessThanOrEqual(0);
      expect(mostGranted(records)).toBe(80 * MBIT);
      expect(Math.min(...records.map(({ admission }) => admission!.waitedNs))).toBeGreaterThan(0);
      expect((await ledgerOf(link)).leases).toEqual([]);
    });

    /** One that holds the link and one that waits for it. */
    async function holderAndNext(): Promise<{
      holder: ReturnType<typeof start>;
      next: Promise<Ended>;
      link: string;
    }> {
      const link = freshLink();
      const one = (pages: number) => pair(link, '80Mbit/s', pages).replace('count: 2', 'count: 1');
      const open = await meet(link, 2);
      const holder = start(scenario(`${link}-holder.yaml`, one(40_000)));
      await expect.poll(() => queued(link), patiently).toBe(1);
      const next = switchover(...arguments_(scenario(`${link}-next.yaml`, one(400))));
      await open();
      // Once it has renewed its lease it knows that it has one.
      const renewed = async () =>
        (await ledgerOf(link)).leases.some((one) => one.expiresAtNs! - one.grantedAtNs > 3.5e9);
      await expect.poll(renewed, patiently).toBe(true);
      return { holder, next, link };
    }

    test('the lease of a holder that is killed returns', async () => {
      const { holder, next, link } = await holderAndNext();
      try {
        const last = (await ledgerOf(link)).leases[0]!;
        holder.child.kill('SIGKILL');
        const { code, stdout } = await next;
        expect(code).toBe(0);
        const [record] = recordsIn(stdout);
        expect(record).toMatchObject({ outcome: 'completed' });
        expect(held(record!).fromNs).toBeGreaterThanOrEqual(last.expiresAtNs!);
      } finally {
        holder.child.kill('SIGKILL');
        await holder.output;
      }
    });

    test('a holder that stood still for longer than its lease sends nothing after it, and says why', async () => {
      const { holder, next } = await holderAndNext();
      try {
        holder.child.kill('SIGSTOP');
        expect((await next).code).toBe(0);
        holder.child.kill('SIGCONT');
        const [record] = recordsIn(await holder.output);
        expect(record).toMatchObject({ outcome: 'aborted', owner: 'source' });
        expect(record!.reason).toMatch(/^the lease of 80 Mbit\/s ended: /);
        expect(record!.admission!.revocations.map(({ rateBytesPerSecond }) => rateBytesPerSecond)).toEqual([
          0,
        ]);
      } finally {
        holder.child.kill('SIGKILL');
      }
    });
  },
);
