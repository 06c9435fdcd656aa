import { describe, expect, test } from 'vitest';
import { freeCpu } from '../../../src/core/cpu/cpu-plan.ts';
import { migratedThrough } from '../../fixtures/migrated-through.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const { guest, plan } = smallSetup({ plan: { verify: 'checksums', observeNs: 0 } });

/** Every byte is so much later at either end, from the hello on. */
function migratedOver(eachWayMs: number) {
  return migratedThrough({ guest, plan, cpu: freeCpu }, ({ way, bytes }, wire) => {
    wire.delay(eachWayMs);
    wire.send(way, bytes);
  });
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
