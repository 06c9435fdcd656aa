import { describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import type { MigrationSpec } from '../../../src/workload/migration-spec.ts';
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
    // The guest runs again before QEMU says that it does.
    expect(course.outage!.longestGapNs).toBeGreaterThan(0.5 * course.downtimeNs);
    expect(course.totalNs).toBeGreaterThan(course.downtimeNs);
    // QEMU tells of a pass when it gets to it, so only what all of them sent together is exact.
    const pages = course.rounds.reduce((sum, round) => sum + round.sentPages, 0) + course.stop.pages;
    expect(pages).toBeGreaterThanOrEqual(800);
    const bytes = course.rounds.reduce((sum, round) => sum + round.bytes, 0) + course.stop.bytes;
    expect(course.link.sentBytes).toBeGreaterThan(0.95 * bytes);
    expect(course.notes[0]).toMatch(/QEMU reports a downtime of \d+ ms/);
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
