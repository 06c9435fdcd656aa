import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeCpu } from '../../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import { Host } from '../../../src/worlds/threads/host.ts';
import { threadsWorld } from '../../../src/worlds/threads/threads-world.ts';
import { ByteProxy } from '../../faults/proxy.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const { guest, plan } = smallSetup({ plan: { verify: 'checksums', observeNs: 0 } });

let destination: Host;
let proxy: ByteProxy;
beforeEach(async () => {
  destination = await Host.listen({ host: '127.0.0.1', port: 0, log: () => {} });
});
afterEach(async () => {
  await proxy.end();
  await destination.close();
});

/** Every byte is so much later at either end, from the hello on. */
async function migratedOver(eachWayMs: number): Promise<MigrationResult> {
  proxy = await ByteProxy.start(
    destination.address.port,
    () => true,
    ({ way, bytes }, wire) => {
      wire.delay(eachWayMs);
      wire.send(way, bytes);
    },
  );
  const to = { host: '127.0.0.1', port: proxy.port, key: null };
  const world = await threadsWorld({ guest, plan, cpu: freeCpu }, { to, viewerHost: '127.0.0.1' });
  try {
    return await drive(plan, world);
  } finally {
    await world.close();
  }
}

describe.each([25, 100])('over a way of %i ms', (eachWayMs) => {
  test('the guest runs one and a half round trips after its last page has left, and that is its downtime', async () => {
    const { outcome, downtimeNs, downtimeParts, link, outage, notes } = await migratedOver(eachWayMs);
    const roundTripNs = 2e6 * eachWayMs;
    expect(outcome).toBe('completed');
    expect(link.roundTripNs! / roundTripNs).toBeGreaterThanOrEqual(1);
    expect(link.roundTripNs! / roundTripNs).toBeLessThan(1.4);
    const trips = (downtimeNs - downtimeParts.memoryNs) / roundTripNs;
    expect(trips).toBeGreaterThan(1.4);
    expect(trips).toBeLessThan(2);
    expect(outage!.longestGapNs / downtimeNs).toBeGreaterThan(0.8);
    expect(notes).toContainEqual(expect.stringMatching(/known to within ± .*, half a round trip/));
  });
});
