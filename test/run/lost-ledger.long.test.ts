import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { LeaseClient, type LeaseRequest, type LedgerStore } from '../../src/run/lease-client.ts';
import { redisStore } from '../../src/run/redis-store.ts';
import { CuttableProxy } from '../fixtures/cuttable-proxy.ts';
import { noRedis, RedisServer } from '../fixtures/redis-server.ts';

/** A link whose ledger is in a real Redis that goes, or comes back empty. */
const CAPACITY = 1_000;
const patiently = { timeout: 20_000 };

function wish(id: string, change: Partial<LeaseRequest> = {}): LeaseRequest {
  const rates = { rateBytesPerSecond: 600, stopRateBytesPerSecond: 600, leastBytesPerSecond: 600 };
  return { id, ...rates, priority: 0, queueTimeoutNs: null, ...change };
}

describe.skipIf(noRedis !== undefined)('a Redis that goes', () => {
  test('a reservation that is waited for when Redis goes has waited as long as it has', async () => {
    const lost = await RedisServer.start();
    const store = await redisStore(lost.url, 'link', CAPACITY);
    const first = new LeaseClient(store, wish('first'), () => {});
    await first.admit();
    const second = new LeaseClient(store, wish('second'), () => {});
    const waiting = expect(second.admit()).rejects.toThrow('no Redis at');
    await sleep(200);
    await lost.end();
    await waiting;
    const { waitedNs } = (await second.leave())!;
    expect(waitedNs).toBeGreaterThan(200e6);
    expect(waitedNs).toBeLessThan(60e9);
    const { askedAtNs, waitedNs: waited, releasedAtNs } = (await first.leave())!;
    expect(releasedAtNs).toBeGreaterThan(askedAtNs + waited);
    const never = new LeaseClient(store, wish('never'), () => {});
    await expect(never.admit()).rejects.toThrow('no Redis at');
    expect(await never.leave()).toBeNull();
    await store.close();
  });
});

describe.skipIf(noRedis !== undefined)('a Redis that was restarted empty', { retry: 1 }, () => {
  /** When a client's lease ends, by this process's clock in ms. */
  function watched(store: LedgerStore, id: string) {
    const seen = { endsAtMs: Number.POSITIVE_INFINITY };
    const client = new LeaseClient(store, wish(id), (ceilings) => {
      seen.endsAtMs = performance.now() + ceilings.at(-1)!.fromNs / 1e6;
    });
    return { client, seen };
  }

  test('grants nothing anew before the lease of a holder that is cut off from it has ended', async () => {
    const before = await RedisServer.start();
    const wire = await CuttableProxy.start(before.port);
    const far = await redisStore(`redis://127.0.0.1:${wire.port}`, 'link', CAPACITY);
    const { client: cut, seen } = watched(far, 'cut');
    await cut.admit();
    wire.cut();
    await before.end();
    const after = await RedisServer.start(before.port);
    const store = await redisStore(after.url, 'link', CAPACITY);
    const next = new LeaseClient(store, wish('next'), () => {});
    expect(await next.admit()).toBeUndefined();
    expect(seen.endsAtMs).toBeLessThanOrEqual(performance.now());
    expect(next.notes).toEqual([expect.stringContaining('was new, or had been lost')]);
    await Promise.all([cut.leave(), next.leave()]);
    await Promise.all([far.close(), store.close(), wire.end()]);
    await after.end();
  });

  test('learns of a lease from its holder, which goes on, and nobody else gets its part', async () => {
    const before = await RedisServer.start();
    const store = await redisStore(before.url, 'link', CAPACITY);
    const { client: holder, seen } = watched(store, 'holder');
    await holder.admit();
    await before.end();
    const after = await RedisServer.start(before.port);
    const ledger = async () => (await store.update((there) => there).catch(() => undefined))?.ledger;
    await expect
      .poll(async () => (await ledger())?.leases.map(({ id }) => id), patiently)
      .toEqual(['holder']);
    const next = new LeaseClient(store, wish('next', { queueTimeoutNs: 4e9 }), () => {});
    expect(await next.admit()).toBe('not admitted: not granted within 4 s');
    expect(seen.endsAtMs).toBeGreaterThan(performance.now());
    expect(holder.notes).toContainEqual(expect.stringContaining('was lost meanwhile'));
    expect((await holder.leave())!.revocations).toEqual([]);
    await next.leave();
    await store.close();
    await after.end();
  });
});
