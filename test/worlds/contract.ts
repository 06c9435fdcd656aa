import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MigrationResult, partsOf } from '../../src/core/migration/migration-result.ts';
import type { Step, StepResult } from '../../src/core/migration/steps.ts';
import { drive } from '../../src/run/drive.ts';
import { replay, type TraceLine } from '../../src/run/trace.ts';
import type { MigrationSpec } from '../../src/workload/migration-spec.ts';
import type { WorldName } from '../../src/worlds/world-names.ts';
import { type WorldFactory, worldFactory } from '../../src/worlds/worlds.ts';
import { smallSetup } from '../fixtures/setup.ts';

/** What every world owes: one suite, the same for all that take a migration step by step. */
export function contractOf(name: WorldName): void {
  // Only the kernel can keep the reservation of a virtual machine.
  const testOfTurns = test.skipIf(name === 'vm');
  let factory: WorldFactory;
  beforeAll(async () => {
    factory = await worldFactory(name);
  });
  afterAll(() => factory.close());

  async function migrateIn(setup: MigrationSpec): Promise<{ course: MigrationResult; lines: TraceLine[] }> {
    const world = await factory.create(setup);
    try {
      const lines: TraceLine[] = [{ plan: setup.plan }];
      const course = await drive(setup.plan, world, (step, seen) => lines.push({ step, seen }));
      return { course, lines: [...lines, { course }] };
    } finally {
      await world.close();
    }
  }

  test('completes a migration and says so in one record', async () => {
    const { course } = await migrateIn(smallSetup({ plan: { stop: { rule: 'rounds', rounds: 2 } } }));
    expect(course).toMatchObject({
      outcome: 'completed',
      owner: 'destination',
      reason: '2 of 2 rounds done',
    });
    expect(course.rounds.map(({ round }) => round)).toEqual([1, 2]);
    expect(course.rounds[0]).toMatchObject({ dirtyPages: 800, sentPages: 800, deferredPages: 0 });
    expect(course.rounds[1]!.sentPages).toBe(course.rounds[1]!.dirtyPages);
    expect(course.stop.pages).toBeGreaterThan(0);
    expect(Object.keys(course).sort()).toEqual(
      [
        ...['outcome', 'reason', 'owner', 'rounds', 'stop', 'downtimeNs', 'downtimeParts', 'totalNs'],
        ...['achieved', 'outage', 'verified', 'servers', 'link', 'notes'],
      ].sort(),
    );
  });

  test('the parts of the downtime add up to it, and it ends the total', async () => {
    const { course } = await migrateIn(smallSetup());
    const parts = Object.values(partsOf(course.downtimeParts));
    expect(parts.every((part) => part >= 0)).toBe(true);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(course.downtimeNs, -1);
    const rounds = course.rounds.reduce((sum, { durationNs }) => sum + durationNs, 0);
    expect(rounds + course.downtimeNs).toBeGreaterThan(0.98 * course.totalNs);
    expect(rounds + course.downtimeNs).toBeLessThanOrEqual(course.totalNs);
  });

  testOfTurns('keeps CPU reservations against hogs, accounts for them, and tells who ran when', async () => {
    const setup = smallSetup({
      guest: { cpuPerWriteNs: 20_000 },
      plan: { observeNs: 0, rateBytesPerSecond: 125_000_000, stopRateBytesPerSecond: 125_000_000 },
      cpu: {
        scheduler: 'cbs-hard',
        guest: { budgetNs: 2e6, periodNs: 10e6 },
        sender: { budgetNs: 3e6, periodNs: 10e6 },
        cpuPerPageNs: 100_000,
        hogs: 2,
      },
    });
    const world = await factory.create(setup);
    try {
      const course = await drive(setup.plan, world);
      expect(course.outcome).toBe('completed');
      expect(course.servers.map(({ name }) => name)).toEqual(['guest', 'sender']);
      const sender = course.servers[1]!;
      // 800 pages at least, 100 µs each, at 30 % of a processor.
      expect(course.rounds[0]!.durationNs).toBeGreaterThan((0.9 * 80e6) / 0.3);
      expect(sender.servedNs).toBeGreaterThan(80e6);
      expect(sender.periods).toBeGreaterThan(15);
      const slices = world.slices();
      expect(new Set(slices.map(({ name }) => name))).toEqual(new Set(['guest', 'sender', 'hog-1', 'hog-2']));
      expect(slices.every(({ startNs, endNs }) => endNs > startNs)).toBe(true);
    } finally {
      await world.close();
    }
  });

  test('keeps to the reservation over every interval', async () => {
    const { course } = await migrateIn(
      smallSetup({ plan: { stopRateBytesPerSecond: 25_000_000, stop: { rule: 'rounds', rounds: 2 } } }),
    );
    expect(course.link.worstExcessBytes).toBeLessThanOrEqual(0);
    expect(course.link.windows.map(({ windowNs }) => windowNs)).toEqual([10e6, 100e6, 1e9]);
    for (const { mostBytes, allowedBytes } of course.link.windows) {
      expect(mostBytes).toBeGreaterThan(0);
      expect(mostBytes).toBeLessThanOrEqual(allowedBytes!);
    }
    expect(course.link.utilisation).toBeGreaterThan(0.5);
    expect(course.link.utilisation).toBeLessThanOrEqual(1);
    const sent = course.rounds.reduce((sum, { bytes }) => sum + bytes, 0) + course.stop.bytes;
    expect(course.link.sentBytes).toBeGreaterThanOrEqual(sent);
    // Control frames; and what a virtual machine is beyond its pages.
    expect(course.link.sentBytes).toBeLessThan(sent * 1.01);
  });

  test('heeds what the link allows in the middle of a round: less, and nothing', async () => {
    const setup = smallSetup({ plan: { observeNs: 0 } });
    const limited = async (rateBytesPerSecond: number) => {
      const world = await factory.create(setup);
      try {
        world.allow([{ fromNs: 100e6, rateBytesPerSecond, why: 'a test' }]);
        return await drive(setup.plan, world);
      } finally {
        await world.close();
      }
    };
    const slowed = await limited(2_500_000);
    expect(slowed).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(slowed.link.worstExcessBytes).toBeLessThanOrEqual(0);
    const atMost = setup.plan.depthBytes + 12_500_000 * 0.1;
    expect(slowed.rounds[0]!.durationNs).toBeGreaterThan(((800 * 4112 - atMost) * 1e9) / 2_500_000);
    const revoked = await limited(0);
    expect(revoked).toMatchObject({ outcome: 'aborted', owner: 'source', reason: 'a test', rounds: [] });
    expect(revoked.link.sentBytes).toBeLessThanOrEqual(atMost);
  });

  test('a client of the guest loses no heartbeat and sees none twice', async () => {
    const { course } = await migrateIn(smallSetup());
    expect(course.outage).toMatchObject({ lostHeartbeats: 0, repeatedHeartbeats: 0 });
    expect(course.outage!.longestGapNs).toBeGreaterThan(course.downtimeParts.memoryNs);
  });

  test('deferred pages wait for the stop', async () => {
    const { course } = await migrateIn(
      smallSetup({ plan: { order: 'lru', defer: { threshold: 0.3 }, stop: { rule: 'rounds', rounds: 2 } } }),
    );
    expect(course.rounds[0]!.deferredPages).toBeGreaterThan(30);
    expect(course.rounds[0]!.deferredPages + course.rounds[0]!.sentPages).toBe(800);
    expect(course.stop.pages).toBeGreaterThanOrEqual(course.rounds[1]!.deferredPages);
  });

  test('holds back as many of the hottest pages as it is told', async () => {
    const { course } = await migrateIn(
      smallSetup({ plan: { order: 'lru', heat: 'known', defer: { count: 60 } } }),
    );
    expect(course.rounds[0]).toMatchObject({ deferredPages: 60, sentPages: 740 });
    expect(course.stop.pages).toBeGreaterThanOrEqual(60);
  });

  test('pages of zeros cost a header', async () => {
    const program = { kind: 'classes' as const, classes: [{ pages: 300, writesPerSecond: 20 }] };
    const { course } = await migrateIn(smallSetup({ guest: { zeroPages: 500, program } }));
    expect(course.rounds[0]).toMatchObject({ sentPages: 800, zeroPages: 500, bytes: 300 * 4112 + 500 * 16 });
    expect(course.outcome).toBe('completed');
  });

  test('cleared by round, a page sent last is sent again like any other', async () => {
    const busy = { kind: 'sequential' as const, pages: 400, writesPerSecond: 4000 };
    const plan = { order: 'lru' as const, heat: 'known' as const, clear: 'round' as const };
    const { course } = await migrateIn(smallSetup({ guest: { program: busy }, plan }));
    expect(course.stop.pages).toBeGreaterThanOrEqual(400);
    const { course: byPage } = await migrateIn(
      smallSetup({ guest: { program: busy }, plan: { ...plan, clear: 'page' } }),
    );
    expect(byPage.stop.pages).toBeLessThan(course.stop.pages);
    const { course: byChunk } = await migrateIn(
      smallSetup({ guest: { program: busy }, plan: { ...plan, clear: { chunkPages: 64 } } }),
    );
    expect(byChunk.outcome).toBe('completed');
    expect(byChunk.stop.pages).toBeGreaterThan(byPage.stop.pages);
  });

  test('skips what is dirty again before its turn, and sends it later', async () => {
    const busy = { kind: 'sequential' as const, pages: 400, writesPerSecond: 20_000 };
    const { course } = await migrateIn(
      smallSetup({
        guest: { program: busy },
        plan: { clear: 'round', skip: true, stop: { rule: 'rounds', rounds: 2 } },
      }),
    );
    const [first] = course.rounds;
    expect(first!.skippedPages).toBeGreaterThan(200);
    expect(first!.sentPages + first!.skippedPages).toBe(800);
    expect(course.outcome).toBe('completed');
    expect(course.verified.memory).not.toBe('different');
  });

  test('looks within a round: stops as soon as what is pending fits the limit', async () => {
    const limitNs = 30e6;
    const { course } = await migrateIn(
      smallSetup({ plan: { stop: { rule: 'downtime', limitNs }, timeoutNs: 20e9 } }),
    );
    expect(course.outcome).toBe('completed');
    const allowedBytes = (12_500_000 * limitNs) / 1e9;
    expect(course.stop.bytes).toBeLessThan(allowedBytes * 1.3);
    expect(course.stop.bytes).toBeGreaterThan(allowedBytes * 0.3);
  });

  testOfTurns(
    'a guest that works in bursts writes more, and is handed over as whole as any other',
    async () => {
      const plan = { observeNs: 0 };
      const program = { kind: 'classes' as const, classes: [{ pages: 800, writesPerSecond: 1 }] };
      const steady = await migrateIn(smallSetup({ guest: { program }, plan }));
      const bursts = { everyNs: 40e6, lengthNs: 20e6, factor: 9 };
      const { course } = await migrateIn(smallSetup({ guest: { program, bursts }, plan }));
      expect(course).toMatchObject({ outcome: 'completed', owner: 'destination' });
      expect(course.outage).toMatchObject({ lostHeartbeats: 0, repeatedHeartbeats: 0 });
      expect(course.verified.continued).not.toBe('different');
      // Five times as many writes in the mean.
      expect(course.stop.pages).toBeGreaterThan(2.5 * steady.course.stop.pages);
      expect(course.outage!.heartbeats).toBeGreaterThan(2.5 * steady.course.outage!.heartbeats);
    },
  );

  test('gives up where it cannot converge, and the guest stays the source’s', async () => {
    const busy = { kind: 'sequential' as const, pages: 800, writesPerSecond: 60_000 };
    const { course } = await migrateIn(
      smallSetup({
        guest: { program: busy },
        plan: { stop: { rule: 'downtime', limitNs: 1e6 }, timeoutNs: 1e9 },
      }),
    );
    expect(course).toMatchObject({ outcome: 'not-converged', owner: 'source', downtimeNs: 0 });
    expect(course.reason).toContain('pages pending');
  });

  test('knows the write rates of its guest when the plan asks for them', async () => {
    const { course, lines } = await migrateIn(smallSetup({ plan: { order: 'increasing', heat: 'known' } }));
    const learned = lines.find((line) => 'seen' in line && line.seen.kind === 'learned');
    expect(course.outcome).toBe('completed');
    expect(learned).toBeDefined();
  });

  test('a trace replayed into a fresh migration gives the same steps and the same record', async () => {
    const { lines } = await migrateIn(smallSetup({ plan: { order: 'lru', defer: { threshold: 0.3 } } }));
    expect(replay(lines)).toMatchObject({ difference: undefined });
  });

  test('takes an abort at any step, and the guest stays the source’s', async () => {
    const setup = smallSetup();
    const pages = Uint32Array.of(1, 2, 3);
    const upTo: Step[] = [
      { kind: 'observe', windowNs: 20e6, windows: 1 },
      { kind: 'track' },
      { kind: 'send', pages, rateBytesPerSecond: 12_500_000, clears: true, endsRound: true },
      { kind: 'harvest', take: false },
      { kind: 'stop' },
    ];
    for (let steps = 0; steps <= upTo.length; steps++) {
      const world = await factory.create(setup);
      try {
        for (const step of upTo.slice(0, steps)) expect((await world.perform(step)).kind).not.toBe('failed');
        const seen: StepResult = await world.perform({ kind: 'abort', why: 'a test' });
        expect(seen).toMatchObject({ kind: 'aborted', owner: 'source' });
      } finally {
        await world.close();
      }
    }
  });
}
