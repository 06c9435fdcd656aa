import { describe, expect, test } from 'vitest';
import { moveServed } from '../../bench/linux-guest/served-machine.ts';
import { withoutLinux } from '../fixtures/linux-guest.ts';
import { qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';

describe.skipIf((withoutQemu10 ?? withoutLinux) !== undefined)('a service in somebody’s machine', () => {
  test('is written to from outside while it moves: no request fails, no write is lost, none is done twice; its own word moves the network', {
    timeout: 120_000,
  }, async () => {
    const settings = ['link.rate=500Mbit/s', 'migration.order=address', 'migration.stop.rounds=2'];
    const { completed, downtimeNs, client } = await moveServed(qemu10, settings, 'by the machine, after it');
    expect(completed).toBe(true);
    expect(client).toMatchObject({ failed: 0, failure: null, lost: 0, repeated: 0 });
    expect(client.writes).toBeGreaterThan(20);
    const { fromNs, untilNs } = client.longestGap;
    expect(untilNs - fromNs).toBeGreaterThan(0.5 * downtimeNs);
  });
});
