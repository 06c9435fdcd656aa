import { describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import { driveSync } from '../../../src/run/drive.ts';
import type { GuestSpec } from '../../../src/workload/programs.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { differenceOf } from '../../fixtures/two-samples.ts';

const RUNS = 1_000;

/** Migrations whose windows are drawn at once, or each by itself. */
function migrated(guest: Partial<GuestSpec>, plan: Partial<Plan>, atOnce: boolean): MigrationResult[] {
  return Array.from({ length: RUNS }, (_, index) => {
    const seed = 2 * index + (atOnce ? 1 : 0);
    const spec = smallSetup({ guest: { ...guest, seed }, plan: { halfLifeNs: 200e6, ...plan, seed } });
    const world = new VirtualWorld(spec);
    const carryOut: typeof world.carryOut = (step) =>
      world.carryOut(step.kind === 'observe' && !atOnce ? { ...step, windows: 1 } : step);
    return driveSync(spec.plan, { carryOut });
  });
}

const bursts = { everyNs: 100e6, lengthNs: 25e6, factor: 5 };

describe('migrations of a guest whose windows are drawn at once', () => {
  test.each<[string, Partial<GuestSpec>, Partial<Plan>]>([
    ['lru', {}, { order: 'lru' }],
    ['lru, in bursts', { bursts }, { order: 'lru' }],
    ['frequency', {}, { order: 'frequency' }],
    ['increasing, in bursts', { bursts }, { order: 'increasing' }],
    ['threshold', {}, { order: 'threshold' }],
    ['address, holding back by probability', {}, { order: 'address', defer: { threshold: 0.4 } }],
    ['lru, holding back the hottest', {}, { order: 'lru', defer: { count: 50 } }],
  ])('have the downtimes, totals and bytes of those whose windows are drawn one by one: %s', (_, guest, plan) => {
    const [once, each] = [migrated(guest, plan, true), migrated(guest, plan, false)];
    const figures = [
      ({ downtimeNs }: MigrationResult) => downtimeNs,
      ({ totalNs }: MigrationResult) => totalNs,
      ({ link }: MigrationResult) => link.sentBytes,
      ({ rounds }: MigrationResult) => rounds[0]!.deferredPages,
    ];
    for (const of of figures) expect(differenceOf(once.map(of), each.map(of))).toBeLessThan(1);
  });
});
