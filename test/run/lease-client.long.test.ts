import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Ceiling } from '../../src/core/link/ceiling.ts';
import { ask, changeCapacity, grantedBytesPerSecond, type Ledger } from '../../src/core/link/ledger.ts';
import { LeaseClient, type LeaseRequest, type LedgerStore } from '../../src/run/lease-client.ts';
import { memoryStore } from '../../src/run/memory-store.ts';
import { redisStore } from '../../src/run/redis-store.ts';
import { noRedis, RedisServer } from '../fixtures/redis-server.ts';

const CAPACITY = 1_000;

function wish(id: string, change: Partial<LeaseRequest> = {}): LeaseRequest {
  const rates = { rateBytesPerSecond: 600, stopRateBytesPerSecond: 600, leastBytesPerSecond: 600 };
  return { id, ...rates, priority: 0, queueTimeoutNs: null, ...change };
}

let redis: RedisServer | undefined;
let links = 0;
const patiently = { timeout: 20_000 };
beforeAll(async () => {
  if (!noRedis) redis = await RedisServer.start();
});
afterAll(() => redis?.end());

describe.each([
  ['in memory', false],
  ['in Redis', true],
] as const)('a ledger %s', (_, shared) => {
  let store: LedgerStore;
  let link: string;
  const desks: LeaseClient[] = [];
  const client = (own: LeaseRequest, allowed: (ceilings: readonly Ceiling[]) => void = () => {}) => {
    const made = new LeaseClient(store, own, allowed);
    desks.push(made);
    return made;
  };
  const ledger = async (): Promise<Ledger> => (await store.update((there) => there)).ledger;

  beforeEach(async (context) => {
    context.skip(shared && noRedis !== undefined, noRedis);
    // One that is new grants nothing for a while.
    link = shared ? 'link' : `link-${++links}`;
    store = shared ? await redisStore(redis!.url, link, CAPACITY) : memoryStore(CAPACITY);
  });
  afterEach(async () => {
    await Promise.all(desks.splice(0).map((one) => one.leave()));
    await store?.close();
  });

  test('lets the second wait until the first has left, the more urgent one first', async () => {
    const [first, second, urgent] = [
      client(wish('a')),
      client(wish('b')),
      client(wish('c', { priority: 1 })),
    ];
    const order: string[] = [];
    expect(await first.admit()).toBeUndefined();
    const waiting = second.admit().then(() => order.push('second'));
    await expect.poll(async () => (await ledger()).queue.length, patiently).toBe(1);
    const hurrying = urgent.admit().then(async () => {
      order.push('urgent');
      await urgent.leave();
    });
    await expect.poll(async () => (await ledger()).queue.length, patiently).toBe(2);
    expect(order).toEqual([]);
    await first.leave();
    await Promise.all([waiting, hurrying]);
    expect(order).toEqual(['urgent', 'second']);
    const { askedAtNs, waitedNs, grantedBytesPerSecond: granted } = (await second.leave())!;
    expect(granted).toBe(600);
    expect(waitedNs).toBeGreaterThan(0);
    expect(askedAtNs).toBeGreaterThan(0);
    expect((await ledger()).leases).toEqual([]);
  });

  test('refuses at once what never fits, and after its patience what did not', async () => {
    const large = client(wish('large', { stopRateBytesPerSecond: 1_001 }));
    expect(await large.admit()).toMatch(
      /^not admitted: .* asked of a link of 8 kbit\/s; at most 8 kbit\/s would fit$/,
    );
    await client(wish('first')).admit();
    const late = client(wish('late', { queueTimeoutNs: 100e6 }));
    expect(await late.admit()).toBe('not admitted: not granted within 100 ms');
    expect((await late.leave())!.grantedBytesPerSecond).toBe(0);
    expect((await ledger()).queue).toEqual([]);
  });

  test('has a lease ready that somebody got on its behalf', async () => {
    const { queueTimeoutNs: _, ...wanted } = wish('booked', { priority: 3 });
    const { now } = await store.update((there, now) =>
      ask(there, { ...wanted, askedAtNs: now - 1_024_000, deadlineNs: now - 1_024_000 + 1e9 }, now),
    );
    const booked = client(wish('booked', { priority: 3 }));
    expect(await booked.admit()).toBeUndefined();
    expect((await ledger()).leases).toHaveLength(1);
    expect(await booked.leave()).toMatchObject({
      askedAtNs: now - 1_024_000,
      waitedNs: 1_024_000,
      grantedBytesPerSecond: 600,
      revocations: [],
    });
  });

  test('lets nobody wait who is told to wait no longer', patiently, async () => {
    await client(wish('first')).admit();
    const second = client(wish('second'));
    const waiting = second.admit();
    await expect.poll(async () => (await ledger()).queue.length, patiently).toBe(1);
    second.stopWaiting();
    expect(await waiting).toMatch(/^not admitted/);
    expect((await second.leave())!.grantedBytesPerSecond).toBe(0);
    expect((await ledger()).queue).toEqual([]);
  });

  test('tells the holder what is left to it when the link loses capacity', async () => {
    const allowed: number[] = [];
    const slowed = client(wish('slowed', { leastBytesPerSecond: 100 }), (ceilings) => {
      const now = ceilings.filter(({ fromNs }) => fromNs <= 0).at(-1);
      if (now) allowed.push(now.rateBytesPerSecond);
    });
    await slowed.admit();
    await store.update((there, now) => changeCapacity(there, 300, now));
    await expect.poll(() => allowed.at(-1), patiently).toBe(300);
    await store.update((there, now) => changeCapacity(there, 99, now));
    await expect.poll(() => allowed.at(-1), patiently).toBe(0);
    const { revocations } = (await slowed.leave())!;
    expect(revocations.map(({ rateBytesPerSecond }) => rateBytesPerSecond)).toEqual([300, 0]);
  });

  test('never grants too much to many who come and go at once', async () => {
    let most = 0;
    const watched: LedgerStore = {
      ...store,
      async update(change) {
        const seen = await store.update(change);
        most = Math.max(most, grantedBytesPerSecond(seen.ledger));
        return seen;
      },
    };
    const rates = [100, 250, 400, 600, 900];
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const rate = rates[index % rates.length]!;
        const own = new LeaseClient(
          watched,
          wish(`m${index}`, {
            rateBytesPerSecond: rate,
            stopRateBytesPerSecond: rate,
            leastBytesPerSecond: 1,
          }),
          () => {},
        );
        expect(await own.admit()).toBeUndefined();
        await sleep(5);
        await own.leave();
      }),
    );
    expect(most).toBeGreaterThan(600);
    expect(most).toBeLessThanOrEqual(CAPACITY);
    expect((await ledger()).leases).toEqual([]);
  });
});

describe.skipIf(noRedis !== undefined)('leases in Redis', { retry: 1 }, () => {
  test('a holder that cannot renew its lease is told to end before the lease is given to another', async () => {
    const link = `link-${++links}`;
    const [here, there] = [
      await redisStore(redis!.url, link, CAPACITY),
      await redisStore(redis!.url, link, CAPACITY),
    ];
    let broken = false;
    const breaking: LedgerStore = {
      ...here,
      update: (change) => (broken ? Promise.reject(new Error('cut off')) : here.update(change)),
    };
    let endsAtMs = Number.POSITIVE_INFINITY;
    let why = '';
    const cut = new LeaseClient(breaking, wish('cut'), (ceilings) => {
      const end = ceilings.at(-1)!;
      endsAtMs = performance.now() + end.fromNs / 1e6;
      why = end.why;
    });
    expect(await cut.admit()).toBeUndefined();
    broken = true;
    const next = new LeaseClient(there, wish('next'), () => {});
    expect(await next.admit()).toBeUndefined();
    expect(endsAtMs).toBeLessThanOrEqual(performance.now());
    expect(why).toBe('the lease of 4.8 kbit/s ended: cut off');
    await Promise.all([cut.leave(), next.leave()]);
    await Promise.all([here.close(), there.close()]);
  });

  test('a lease outlives its time to live for as long as its holder renews it', async () => {
    const store = await redisStore(redis!.url, `link-${++links}`, CAPACITY);
    const holder = new LeaseClient(store, wish('holder'), () => {});
    await holder.admit();
    await sleep(4_000);
    const { ledger } = await store.update((there) => there);
    expect(ledger.leases).toHaveLength(1);
    expect((await holder.leave())!.revocations).toEqual([]);
    await store.close();
  });

  test('a link that others keep with another capacity is refused', async () => {
    const link = `link-${++links}`;
    const store = await redisStore(redis!.url, link, CAPACITY);
    const holder = new LeaseClient(store, wish('holder'), () => {});
    await holder.admit();
    await expect(redisStore(redis!.url, link, 2_000)).rejects.toThrow(
      'link.capacity is 16 kbit/s, but other processes use this link in Redis with 8 kbit/s',
    );
    await holder.leave();
    await store.close();
  });
});
