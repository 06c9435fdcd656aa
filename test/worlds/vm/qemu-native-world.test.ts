import { describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import type { MigrationSpec, NativeSettings } from '../../../src/workload/migration-spec.ts';
import { plainNative } from '../../../src/worlds/vm/native-settings.ts';
import { QemuNativeWorld } from '../../../src/worlds/vm/qemu-native-world.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';

describe.skipIf(withoutQemu !== undefined)('QEMU’s own migration', () => {
  async function migrate(setup: MigrationSpec): Promise<MigrationResult> {
    const world = await QemuNativeWorld.create(setup);
    try {
      return await drive(setup.plan, world);
    } finally {
      await world.close();
    }
  }

  test('is watched into the same record: rounds, bytes, downtime, and what the client saw', async () => {
    const course = await migrate(smallSetup({ plan: { observeNs: 100e6 } }));
    expect(course).toMatchObject({ outcome: 'completed', owner: 'destination' });
    // Whether QEMU moves all that was written is its own affair (decisions/027); that it was looked at is ours.
    expect(course.verified.continued).not.toBe('not-checked');
    expect(course.outage).toMatchObject({ lostHeartbeats: 0, repeatedHeartbeats: 0 });
    expect(course.outage!.longestGapNs).toBeGreaterThan(course.downtimeNs);
    expect(course.totalNs).toBeGreaterThan(course.downtimeNs);
    // QEMU tells of a pass when it gets to it, so only what all of them sent together is exact.
    const pages = course.rounds.reduce((sum, round) => sum + round.sentPages, 0) + course.stop.pages;
    expect(pages).toBeGreaterThanOrEqual(800);
    const bytes = course.rounds.reduce((sum, round) => sum + round.bytes, 0) + course.stop.bytes;
    expect(course.link.sentBytes).toBeGreaterThan(0.95 * bytes);
    expect(course.notes[0]).toMatch(/QEMU itself says: downtime \d+ ms/);
  });

  test('uses the means of QEMU that it is told to, and says what became of them', async () => {
    // Four fifths of a processor for twice what the link carries, so that a slower guest is a guest that writes less.
    const busy = {
      guest: {
        program: { kind: 'sequential', pages: 800, writesPerSecond: 4_000 } as const,
        cpuPerWriteNs: 200e3,
      },
      plan: {
        ...{ observeNs: 0, rateBytesPerSecond: 8e6, timeoutNs: 30e9 },
        stop: { rule: 'downtime', limitNs: 50e6 } as const,
      },
    };
    const noteOf = async (native: Partial<NativeSettings>, start: RegExp) => {
      const course = await migrate({ ...smallSetup(busy), native: { ...plainNative, ...native } });
      expect(course).toMatchObject({ outcome: 'completed', owner: 'destination' });
      return course.notes.find((note) => start.test(note));
    };
    const encoded = await noteOf({ xbzrleCacheBytes: 2 ** 22 }, /^xbzrle/);
    expect(Number(/(\d+) pages sent as differences/.exec(encoded!)?.[1])).toBeGreaterThan(0);
    const throttled = await noteOf({ autoConverge: true }, /^auto-converge/);
    expect(Number(/at most (\d+) %/.exec(throttled!)?.[1])).toBeGreaterThanOrEqual(20);
    busy.plan.rateBytesPerSecond = 50e6;
    expect(await noteOf({ multifdChannels: 2 }, /^multifd/)).toMatch(/[1-9].*MiB over 2 connections/);
  });

  test('that cannot converge ends at the timeout, and the guest stays the source’s', async () => {
    const course = await migrate(
      smallSetup({
        guest: { program: { kind: 'sequential', pages: 800, writesPerSecond: 20_000 } },
        plan: {
          observeNs: 0,
          stop: { rule: 'downtime', limitNs: 5e6 },
          rateBytesPerSecond: 2e6,
          timeoutNs: 2e9,
        },
      }),
    );
    expect(course).toMatchObject({ outcome: 'not-converged', owner: 'source', downtimeNs: 0 });
  });
});
