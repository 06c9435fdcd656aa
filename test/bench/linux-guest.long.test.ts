import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LinuxSite } from '../../bench/linux-guest/linux-site.ts';
import { packagesFolder } from '../../bench/linux-guest/packages.ts';
import { drive } from '../../src/run/drive.ts';
import type { DestinationProcess } from '../../src/transport/destination-process.ts';
import { vmWorld } from '../../src/worlds/vm/vm-world.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { smallSetup } from '../fixtures/setup.ts';

/** Why no Linux guest can run here; undefined: one can. Nothing is downloaded for a test. */
const withoutLinux: string | undefined = withoutQemu ?? reasonAgainstLinux();

function reasonAgainstLinux(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  for (const program of ['ip', 'bridge', 'unshare', 'nsenter', 'ldd', 'redis-server']) {
    if (spawnSync('which', [program]).status !== 0) return `no ${program} here`;
  }
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun here';
  if (!existsSync(packagesFolder)) return 'no kernel in the cache: npm run bench:vm -- linux downloads one';
  return undefined;
}

if (withoutLinux !== undefined) console.log(`tests of Linux guests are skipped: ${withoutLinux}`);

describe.skipIf(withoutLinux !== undefined)('a Linux guest with a service', () => {
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
