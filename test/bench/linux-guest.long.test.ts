import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LinuxSite } from '../../bench/linux-guest/linux-site.ts';
import { drive } from '../../src/run/drive.ts';
import type { DestinationProcess } from '../../src/transport/destination-process.ts';
import { vmWorld } from '../../src/worlds/vm/vm-world.ts';
import { withoutLinux } from '../fixtures/linux-guest.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { smallSetup } from '../fixtures/setup.ts';

describe.skipIf((withoutQemu ?? withoutLinux) !== undefined)('a Linux guest with a service', () => {
  let site: LinuxSite;
  let destination: DestinationProcess;
  beforeAll(async () => {
    site = await LinuxSite.create();
    destination = await site.startDestination();
  }, 60_000);
  afterAll(async () => {
    await destination.end();
    await site.end();
    expect(existsSync(site.guestAddress.plug.namespace)).toBe(false);
  });

  test('moves while a client outside writes to it: no request fails, no write is lost, none is done twice', {
    timeout: 120_000,
  }, async () => {
    const setup = smallSetup({
      guest: { name: 'linux', pages: 192 * 256, program: { kind: 'classes', classes: [] } },
      plan: {
        ...{ observeNs: 0, stop: { rule: 'rounds', rounds: 2 }, verify: 'full' },
        ...{ rateBytesPerSecond: 100e6, stopRateBytesPerSecond: 100e6, depthBytes: 524_288 },
      },
    });
    const world = await vmWorld(setup, { destination }, site.boot);
    try {
      const course = await drive(setup.plan, world);
      expect(course).toMatchObject({ outcome: 'completed', owner: 'destination' });
      expect(course.verified.memory).toBe('identical');
      const { measurements, outageParts } = site.guest!;
      expect(measurements).toMatchObject({ failed: 0, failure: null, lost: 0, repeated: 0 });
      expect(measurements!.writes).toBeGreaterThan(20);
      // Its client went on at the destination, and its gap is the one that the migration made.
      expect(course.outage!.longestGapNs).toBeGreaterThan(0.5 * course.downtimeNs);
      expect(outageParts.networkNs).toBeGreaterThan(0);
      expect(outageParts.answerNs).toBeGreaterThan(0);
    } finally {
      await world.close();
    }
  });
});
