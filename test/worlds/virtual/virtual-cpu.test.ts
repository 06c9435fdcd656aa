import { describe, expect, test } from 'vitest';
import type { CpuPlan } from '../../../src/core/cpu/cpu-plan.ts';
import { stopBound } from '../../../src/core/cpu/supply.ts';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import { driveSync } from '../../../src/run/drive.ts';
import { quantile } from '../../../src/study/statistics/estimate.ts';
import type { GuestSpec } from '../../../src/workload/programs.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const MS = 1e6;

/** A stream that wants 30 % of a processor, on a link that is fast enough for CPU time to decide. */
const stream: Partial<GuestSpec> = {
  program: {
    kind: 'stream',
    framePeriodNs: 20 * MS,
    cpuPerFrameNs: 6 * MS,
    pagesPerFrame: 50,
    bufferPages: 300,
  },
  heartbeatPeriodNs: 20 * MS,
};
const fastLink: Partial<Plan> = {
  rateBytesPerSecond: 1_250_000_000,
  stopRateBytesPerSecond: 1_250_000_000,
  depthBytes: 65_536,
};
const crowded: Partial<CpuPlan> = { cpuPerPageNs: 50_000, hogs: 3 };

function migrated(change: { guest?: Partial<GuestSpec>; plan?: Partial<Plan>; cpu?: Partial<CpuPlan> }): {
  course: MigrationResult;
  world: VirtualWorld;
} {
  const setup = smallSetup({
    ...change,
    guest: { ...stream, ...change.guest },
    plan: { ...fastLink, ...change.plan },
  });
  const world = new VirtualWorld(setup);
  return { course: driveSync(setup.plan, world), world };
}

function downtimes(cpu: Partial<CpuPlan>): number[] {
  return Array.from({ length: 30 }, (_, seed) => migrated({ guest: { seed }, cpu }).course.downtimeNs);
}

describe('without competition', () => {
  test('a sender whose pages cost CPU time sends one page after the other at that speed', () => {
    const { course } = migrated({
      guest: { program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] } },
      cpu: { cpuPerPageNs: 50_000 },
    });
    expect(course.rounds[0]!.durationNs).toBeCloseTo(800 * 50_000, -2);
  });

  test('an unlimited link sends as fast as the sender has CPU time', () => {
    const { course } = migrated({
      guest: { program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] } },
      plan: { rateBytesPerSecond: null, stopRateBytesPerSecond: null },
      cpu: { cpuPerPageNs: 30_000 },
    });
    expect(course.rounds[0]!.durationNs).toBeCloseTo(800 * 30_000, -2);
    expect(course.link).toMatchObject({ reservedBytesPerSecond: null, worstExcessBytes: null });
  });

  test('a slow link waits for its tokens, and the CPU time hides behind them', () => {
    const slow = { rateBytesPerSecond: 6_250_000, stopRateBytesPerSecond: 6_250_000 };
    const still = { program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] } } as const;
    const free = migrated({ guest: still, plan: slow }).course;
    const costly = migrated({ guest: still, plan: slow, cpu: { cpuPerPageNs: 50_000 } }).course;
    expect(Math.abs(costly.totalNs - free.totalNs)).toBeLessThan(0.2 * MS);
    expect(costly.link.worstExcessBytes).toBeLessThanOrEqual(0);
  });
});

describe('a sender’s reservation', () => {
  const reserved = (budgetMs: number, periodMs: number): Partial<CpuPlan> => ({
    ...crowded,
    scheduler: 'cbs-hard',
    guest: { budgetNs: 4 * MS, periodNs: 10 * MS },
    sender: { budgetNs: budgetMs * MS, periodNs: periodMs * MS },
  });

  test('shortens the downtime in proportion, against a crowd', () => {
    const fair = quantile(downtimes({ ...crowded, scheduler: 'fair' }), 0.5);
    const half = quantile(downtimes(reserved(5, 10)), 0.5);
    expect(half).toBeLessThan(fair / 2);
  });

  test('bounds the stop: n pages take at most max over k of sbf⁻¹(k·w) + (n − k + 1)·T_d', () => {
    for (const [budget, period] of [
      [1, 10],
      [2, 10],
      [5, 10],
      [2, 4],
      [20, 50],
    ] as const) {
      for (let seed = 0; seed < 10; seed++) {
        const cpu = reserved(budget, period);
        const { course } = migrated({ guest: { seed }, cpu });
        const bound = stopBound({
          pages: course.stop.pages,
          cpuPerPageNs: 50_000,
          pageLinkNs: (4_112 * 1e9) / 1_250_000_000,
          reservation: cpu.sender!,
        });
        expect(course.stop.durationNs).toBeLessThanOrEqual(bound);
      }
    }
  });

  test('is served to the nanosecond: no period missed, no blackout longer than 2(P − Q)', () => {
    const { servers } = migrated({ cpu: reserved(5, 10) }).course;
    expect(servers.map(({ name }) => name)).toEqual(['guest', 'sender']);
    for (const server of servers) {
      expect(server.missedPeriods).toBe(0);
      expect(server.longestBlackoutNs).toBeLessThanOrEqual(2 * (server.periodNs - server.budgetNs));
      expect(server.servedNs).toBeGreaterThan(0);
    }
  });

  test('of the same share spreads the downtime the more, the longer its period', () => {
    const width = (periodMs: number): number => {
      const values = downtimes({
        ...reserved(periodMs / 2, periodMs),
        guest: { budgetNs: 0.4 * periodMs * MS, periodNs: periodMs * MS },
        cpuPerPageNs: 200_000,
      });
      return Math.max(...values) - Math.min(...values);
    };
    expect(width(100)).toBeGreaterThan(2 * width(4));
  });
});

describe('a guest', () => {
  test('short of CPU time sends its frames late, and with a reservation it does not', () => {
    const late = (cpu: Partial<CpuPlan>) => migrated({ cpu: { ...crowded, ...cpu } }).course.outage!;
    expect(late({ scheduler: 'fair' }).lateHeartbeats).toBeGreaterThan(0);
    const guest = { budgetNs: 4 * MS, periodNs: 10 * MS };
    expect(late({ scheduler: 'cbs-hard', guest }).lateHeartbeats).toBe(0);
  });

  test('whose writes cost CPU time dirties less when it gets less than it asks for', () => {
    // 400 pages, each written 100 times a second, 20 µs a write: 80 % of a processor.
    const busy: Partial<GuestSpec> = {
      program: { kind: 'classes', classes: [{ pages: 400, writesPerSecond: 100 }] },
      cpuPerWriteNs: 20_000,
    };
    const plan = {
      observeNs: 0,
      rateBytesPerSecond: 125_000_000,
      stop: { rule: 'rounds', rounds: 2 },
    } as const;
    const pages = (share: number) =>
      migrated({
        guest: busy,
        plan,
        cpu: { scheduler: 'cbs-hard', guest: { budgetNs: share * 10 * MS, periodNs: 10 * MS } },
      }).course.stop.pages;
    expect(pages(0.8)).toBeGreaterThan(1.5 * pages(0.1));
    expect(pages(0.1)).toBeGreaterThan(0);
  });

  test('with all the CPU time it asks for writes as if CPU time were free', () => {
    const light: Partial<GuestSpec> = {
      program: { kind: 'classes', classes: [{ pages: 400, writesPerSecond: 20 }] },
      cpuPerWriteNs: 10_000,
    };
    const pages = (cpu: Partial<CpuPlan>) =>
      quantile(
        Array.from(
          { length: 60 },
          (_, seed) =>
            migrated({ guest: { ...light, seed }, plan: { order: 'address' }, cpu }).course.stop.pages,
        ),
        0.5,
      );
    const free = pages({});
    expect(Math.abs(pages({ scheduler: 'fair' }) - free)).toBeLessThanOrEqual(0.1 * free + 3);
  });
});

describe('processors', () => {
  test('serve one at a time, and are never idle while a hog is there', () => {
    const { world } = migrated({ cpu: { ...crowded, scheduler: 'fair' } });
    const slices = world.slices().toSorted((a, b) => a.startNs - b.startNs);
    expect(slices.length).toBeGreaterThan(10);
    for (let i = 1; i < slices.length; i++) {
      expect(slices[i]!.startNs).toBeCloseTo(slices[i - 1]!.endNs, 3);
    }
  });

  test('keep guest and sender apart when there are two, and neither waits for the other', () => {
    const { world } = migrated({
      cpu: {
        ...crowded,
        processors: 2,
        scheduler: 'cbs-hard',
        guest: { budgetNs: 7 * MS, periodNs: 10 * MS },
        sender: { budgetNs: 9 * MS, periodNs: 10 * MS },
      },
    });
    const homes = new Map(world.slices().map(({ name, processor }) => [name, processor]));
    expect(homes.get('guest')).not.toBe(homes.get('sender'));
  });

  test('are one more for a guest that has its own: no hog and no sender makes it late, whoever schedules them', () => {
    for (const scheduler of ['none', 'fair', 'cbs-hard'] as const) {
      const { course, world } = migrated({ cpu: { ...crowded, scheduler, guestScheduler: 'none' } });
      expect(course.outage!.lateHeartbeats, scheduler).toBe(0);
      const homeOf = (name: string) =>
        new Set(world.slices().flatMap((slice) => (slice.name === name ? [slice.processor] : [])));
      expect(homeOf('guest')).toEqual(new Set([1]));
      expect(homeOf('sender')).toEqual(new Set([0]));
      expect(homeOf('hog-1')).toEqual(new Set([0]));
    }
  });

  test('of its own keep its reservation all the same: one that is too small slows it, under whatever its sender runs', () => {
    const late = (budgetNs: number) => {
      const guest = { budgetNs, periodNs: 10 * MS };
      const cpu = { ...crowded, scheduler: 'fair', guestScheduler: 'cbs-hard', guest } as const;
      return migrated({ cpu }).course.outage!.lateHeartbeats;
    };
    expect(late(4 * MS)).toBe(0);
    expect(late(2 * MS)).toBeGreaterThan(0);
  });

  test('the same seed gives the same migration', () => {
    const cpu = { ...crowded, scheduler: 'fair' } as const;
    expect(migrated({ cpu }).course).toEqual(migrated({ cpu }).course);
  });
});
