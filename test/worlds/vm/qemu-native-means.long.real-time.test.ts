import { expect, test } from 'vitest';
import { drive } from '../../../src/run/drive.ts';
import type { NativeSettings } from '../../../src/workload/migration-spec.ts';
import { plainNative } from '../../../src/worlds/vm/native-settings.ts';
import { QemuNativeWorld } from '../../../src/worlds/vm/qemu-native-world.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';

test.skipIf(withoutQemu !== undefined)(
  'QEMU’s own migration uses the means that it is told to, and says what became of them',
  async () => {
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
      const setup = { ...smallSetup(busy), native: { ...plainNative, ...native } };
      const world = await QemuNativeWorld.create(setup);
      try {
        const course = await drive(setup.plan, world);
        expect(course, course.reason).toMatchObject({ owner: 'destination' });
        // That its guest is the same afterwards is not asked here: without KVM, QEMU 7.2 loses writes now and then (docs/vm.md).
        return course.notes.find((note) => start.test(note));
      } finally {
        await world.close();
      }
    };
    const encoded = await noteOf({ xbzrleCacheBytes: 2 ** 22 }, /^xbzrle/);
    expect(Number(/(\d+) pages sent as differences/.exec(encoded!)?.[1])).toBeGreaterThan(0);
    const throttled = await noteOf({ autoConverge: true }, /^auto-converge/);
    expect(Number(/up to (\d+) %/.exec(throttled!)?.[1])).toBeGreaterThanOrEqual(20);
    busy.plan.rateBytesPerSecond = 50e6;
    expect(await noteOf({ multifdChannels: 2 }, /^multifd/)).toMatch(/[1-9].*MiB over 2 connections/);
  },
);
