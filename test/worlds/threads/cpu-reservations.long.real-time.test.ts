import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CpuPlan } from '../../../src/core/cpu/cpu-plan.ts';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { drive } from '../../../src/run/drive.ts';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { quantile } from '../../../src/study/statistics/estimate.ts';
import { type WorldFactory, worldFactory } from '../../../src/worlds/worlds.ts';
import { onQuietMachine } from '../../fixtures/quiet-machine.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const MS = 1e6;
const REPETITIONS = 3;

let factory: WorldFactory;
beforeAll(async () => {
  factory = await worldFactory('threads');
});
afterAll(() => factory.close());

/**
 * A stream server and three hogs on one processor; the link is fast enough for CPU time to decide. Under the
 * reservations below the stop is shorter than a frame, so that it makes no frame late.
 */
function setupWith(cpu: Partial<CpuPlan>) {
  return smallSetup({
    guest: {
      pages: 1200,
      program: {
        kind: 'stream',
        framePeriodNs: 40 * MS,
        cpuPerFrameNs: 10 * MS,
        pagesPerFrame: 200,
        bufferPages: 600,
      },
      heartbeatPeriodNs: 40 * MS,
    },
    plan: {
      pages: 1200,
      stop: { rule: 'rounds', rounds: 2 },
      rateBytesPerSecond: 125_000_000,
      stopRateBytesPerSecond: 125_000_000,
      depthBytes: 1_250_000,
      verify: 'checksums',
    },
    cpu: { cpuPerPageNs: 50_000, hogs: 3, ...cpu },
  });
}

const reserved: Partial<CpuPlan> = {
  scheduler: 'cbs-hard',
  guest: { budgetNs: 4 * MS, periodNs: 10 * MS },
  sender: { budgetNs: 5 * MS, periodNs: 10 * MS },
};

async function coursesWith(cpu: Partial<CpuPlan>): Promise<readonly MigrationResult[]> {
  const courses: MigrationResult[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const setup = setupWith(cpu);
    const world = await factory.create(setup);
    try {
      courses.push(await drive(setup.plan, world));
    } finally {
      await world.close();
    }
  }
  return courses;
}

function medianOf(courses: readonly MigrationResult[], value: (course: MigrationResult) => number): number {
  return quantile(courses.map(value), 0.5);
}

function measured(name: string, measure: () => Promise<void>): void {
  test(name, { timeout: 240_000 }, ({ skip }) => onQuietMachine(skip, measure));
}

describe('against hogs, on threads', () => {
  measured(
    'a reservation of the sender at least halves the downtime, and one of the guest keeps its frames',
    async () => {
      const fair = await coursesWith({ scheduler: 'fair' });
      const kept = await coursesWith(reserved);
      const downtime = (course: MigrationResult) => course.downtimeNs;
      expect(medianOf(kept, downtime)).toBeLessThan(medianOf(fair, downtime) / 2);
      const late = ({ outage }: MigrationResult) => outage!.lateHeartbeats / outage!.heartbeats;
      expect(medianOf(fair, late)).toBeGreaterThan(0.1);
      expect(medianOf(kept, late)).toBeLessThan(medianOf(fair, late) / 2);
      // The stop ends when the guest runs there, not when its sender has a turn to hear of it: the state part takes two of its
      // turns, one to ask and one to hear the answer, and the commit part one.
      const state = medianOf(fair, ({ downtimeParts }) => downtimeParts.stateNs);
      expect(medianOf(fair, ({ downtimeParts }) => downtimeParts.commitNs)).toBeLessThan(0.75 * state);
    },
  );

  measured('the total and the stop are what virtual time says', async () => {
    const measured = await coursesWith(reserved);
    const predicted = Array.from({ length: 40 }, (_, seed) => {
      const setup = setupWith(reserved);
      return migrateVirtually({ ...setup, guest: { ...setup.guest, seed } });
    });
    // Other programs can only make it longer.
    const ratio = (value: (course: MigrationResult) => number) =>
      medianOf(measured, value) / medianOf(predicted, value);
    for (const value of [
      ({ totalNs }: MigrationResult) => totalNs,
      ({ stop }: MigrationResult) => stop.durationNs,
    ]) {
      expect(ratio(value)).toBeGreaterThan(0.75);
      expect(ratio(value)).toBeLessThan(1.75);
    }
  });
});
