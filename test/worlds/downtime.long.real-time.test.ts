import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import { drive } from '../../src/run/drive.ts';
import { migrateVirtually } from '../../src/run/ensemble.ts';
import { quantile } from '../../src/study/statistics/estimate.ts';
import type { MigrationSpec } from '../../src/workload/migration-spec.ts';
import { type WorldFactory, worldFactory } from '../../src/worlds/worlds.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { smallSetup } from '../fixtures/setup.ts';

/** What the formula and virtual time say of the downtime, and what is measured. */
let factory: WorldFactory;

function inWorld(name: 'threads' | 'vm'): void {
  beforeAll(async () => {
    factory = await worldFactory(name);
  });
  afterAll(() => factory.close());
}

async function migrate(setup: MigrationSpec): Promise<MigrationResult> {
  const world = await factory.create(setup);
  try {
    return await drive(setup.plan, world);
  } finally {
    await world.close();
  }
}

describe('the downtime on threads', () => {
  inWorld('threads');

  test('its memory part is n·(P+H)/b_d, less at most a bucket', async () => {
    const setup = smallSetup({ plan: { rateBytesPerSecond: 25_000_000, stopRateBytesPerSecond: 6_250_000 } });
    const { pageBytes, depthBytes } = setup.plan;
    const errors: number[] = [];
    for (let repetition = 0; repetition < 5; repetition++) {
      const { stop, downtimeParts } = await migrate(setup);
      const formulaNs = (stop.pages * pageBytes * 1e9) / 6_250_000;
      const atOnceNs = (depthBytes * 1e9) / 6_250_000;
      const tooLong = downtimeParts.memoryNs - (formulaNs * 1.02 + 2e6);
      const tooShort = formulaNs * 0.98 - 2e6 - atOnceNs - downtimeParts.memoryNs;
      errors.push(Math.max(tooLong, tooShort));
    }
    expect(quantile(errors, 0.5)).toBeLessThanOrEqual(0);
  });

  test('is what the virtual world says of the same scenario', async () => {
    const setup = smallSetup();
    const memoryParts: number[] = [];
    for (let run = 0; run < 3; run++) memoryParts.push((await migrate(setup)).downtimeParts.memoryNs);
    const measured = quantile(memoryParts, 0.5);
    const predicted = Array.from({ length: 200 }, (_, seed) =>
      migrateVirtually({ ...setup, guest: { ...setup.guest, seed }, plan: { ...setup.plan, seed } }),
    ).map((course) => course.downtimeNs);
    expect(measured).toBeGreaterThan(Math.min(...predicted) - 2e6);
    expect(measured).toBeLessThan(Math.max(...predicted) + 5e6);
  });
});

describe.skipIf(withoutQemu !== undefined)('the downtime of a virtual machine', () => {
  inWorld('vm');

  test('its memory part is n·(P+H)/b_d, whatever the parts beside it', { retry: 1 }, async () => {
    const rate = 2_000_000;
    const { stop, downtimeParts, downtimeNs, verified } = await migrate(
      smallSetup({
        guest: { program: { kind: 'sequential', pages: 200, writesPerSecond: 2_000 } },
        plan: { observeNs: 0, stopRateBytesPerSecond: rate, depthBytes: 16_384 },
      }),
    );
    expect(stop.pages).toBeGreaterThan(150);
    const formulaNs = (stop.pages * 4_112 * 1e9) / rate;
    expect(downtimeParts.memoryNs).toBeGreaterThan(0.9 * formulaNs);
    expect(downtimeParts.memoryNs).toBeLessThan(1.2 * formulaNs);
    expect(downtimeParts.dirtyScanNs).toBeGreaterThan(0);
    expect(downtimeParts.stateNs).toBeGreaterThan(0);
    expect(downtimeNs).toBeGreaterThan(downtimeParts.memoryNs);
    expect(verified).toEqual({ memory: 'identical', continued: 'identical' });
  });
});
