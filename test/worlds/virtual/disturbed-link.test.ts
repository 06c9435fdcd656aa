import { describe, expect, test } from 'vitest';
import type { Antagonist } from '../../../src/core/antagonist.ts';
import { freeCpu } from '../../../src/core/cpu/cpu-plan.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { stopDefaults } from '../../fixtures/stop-defaults.ts';

const PAGE = 4096;
const PAGES = 1_000;
const RATE = 1_000 * PAGE;

const ROUND: Plan['stop'] = { ...stopDefaults.rounds, rounds: 1 };

interface Given {
  readonly depthPages: number;
  readonly seed: number;
  readonly cpuPerPageNs: number;
  readonly stop: Plan['stop'];
  readonly pages: number;
}

function migration(
  antagonists: readonly Antagonist[],
  { depthPages = 16, seed = 1, cpuPerPageNs = 0, stop = ROUND, pages = PAGES }: Partial<Given> = {},
) {
  const plan: Plan = {
    pages,
    pageBytes: PAGE,
    seed,
    order: 'address',
    heat: 'known',
    defer: null,
    clear: 'page',
    skip: false,
    stop,
    timeoutNs: null,
    stopTimeoutNs: 30e9,
    rateBytesPerSecond: RATE,
    stopRateBytesPerSecond: RATE,
    depthBytes: depthPages * PAGE,
    observeNs: 0,
    windowNs: 40e6,
    halfLifeNs: 8e9,
    verify: 'checksums',
  };
  const guest = {
    name: 'guest',
    pages,
    zeroPages: 0,
    pageSizeBytes: PAGE,
    program: { kind: 'classes', classes: [{ pages: pages / 10, writesPerSecond: pages / 100 }] } as const,
    heartbeatPeriodNs: 10e6,
    cpuPerWriteNs: 0,
    seed,
  };
  const cpu = { ...freeCpu, cpuPerPageNs };
  return migrateVirtually({ guest, plan, cpu, antagonists, linkCapacityBytesPerSecond: 4 * RATE });
}

describe('in virtual time', () => {
  const quiet = migration([]);

  test('a destination that takes half of b makes the first round last twice as long', () => {
    const slow = migration([{ kind: 'slow-destination', bytesPerSecond: RATE / 2 }]);
    expect(slow.rounds[0]!.durationNs / quiet.rounds[0]!.durationNs).toBeCloseTo(2, 1);
    expect(slow.downtimeNs).toBeGreaterThan(1.5 * quiet.downtimeNs);
    expect(slow.achieved!.liveBytesPerSecond! / RATE).toBeCloseTo(0.5, 1);
    expect(slow.notes).toEqual([
      expect.stringMatching(/reserved for the live rounds, the link carried 50 %/),
      expect.stringMatching(/reserved for the stop, the link carried 5\d %/),
    ]);
    expect(quiet.notes).toEqual([]);
  });

  test('traffic that leaves room for b costs only the way of a page, and traffic that does not costs time', () => {
    const some = migration([{ kind: 'cross-traffic', bytesPerSecond: 2 * RATE }]);
    const much = migration([{ kind: 'cross-traffic', bytesPerSecond: 3.75 * RATE }]);
    expect(some.totalNs / quiet.totalNs).toBeLessThan(1.03);
    expect(much.rounds[0]!.durationNs / quiet.rounds[0]!.durationNs).toBeGreaterThan(3.8);
  });

  test('an outage of a quarter of the time costs a third more, less what the bucket saves', () => {
    const outages = { kind: 'link-drop', everyNs: 100e6, lengthNs: 25e6, bytesPerSecond: 0 } as const;
    const shallow = migration([outages], { depthPages: 1 });
    const deep = migration([outages], { depthPages: 100 });
    const ratio = shallow.rounds[0]!.durationNs / quiet.rounds[0]!.durationNs;
    expect(ratio).toBeGreaterThan(1.3);
    expect(ratio).toBeLessThan(1.4);
    expect(deep.rounds[0]!.durationNs).toBeLessThan(0.9 * shallow.rounds[0]!.durationNs);
  });

  test('a sender that wakes late loses its rate from a shallow bucket, and nothing from a deep one', () => {
    const noise = { kind: 'timer-noise', meanNs: 2e6 } as const;
    const shallow = migration([noise], { depthPages: 1 });
    const deep = migration([noise], { depthPages: 100 });
    expect(shallow.rounds[0]!.durationNs).toBeGreaterThan(2.5 * quiet.rounds[0]!.durationNs);
    expect(deep.rounds[0]!.durationNs).toBeLessThan(1.02 * quiet.rounds[0]!.durationNs);
  });

  test('the same seed meets the same drops', () => {
    const drops = [{ kind: 'link-drop', everyNs: 300e6, lengthNs: 100e6, bytesPerSecond: 0 }] as const;
    expect(migration(drops, { seed: 3 })).toEqual(migration(drops, { seed: 3 }));
    expect(migration(drops, { seed: 3 }).totalNs).not.toBe(migration(drops, { seed: 4 }).totalNs);
  });

  test.each(['memory-hog', 'garbage'] as const)('%s is refused, and it is said why', (kind) => {
    const antagonist = { kind, count: 1, bytes: 2 ** 20, bytesPerSecond: 1e6 } as Antagonist;
    expect(() => migration([antagonist])).toThrow(`${kind} is not supported in virtual time`);
  });
});

describe('a sender that needs CPU time beside a slow destination', () => {
  const capped = [{ kind: 'slow-destination', bytesPerSecond: RATE / 2 }] as const;
  const { totalNs } = migration(capped);

  test('prepares a page while the one before it passes: the slower of the two counts, not both', () => {
    // A sender that is too slow by itself is not a link that carries too little.
    expect(migration([], { cpuPerPageNs: 3e6 }).notes).toEqual([]);
    // 2 ms on the link, and 1.5 ms on the processor.
    const prepared = migration(capped, { cpuPerPageNs: 1.5e6 });
    expect(prepared.totalNs / totalNs).toBeLessThan(1.01);
    const late = migration(capped, { cpuPerPageNs: 3e6 });
    expect(late.totalNs / totalNs).toBeCloseTo(1.5, 1);
  });

  test('keeps the page that it has prepared when a look comes before the page leaves', () => {
    const stop = { ...stopDefaults['proxmox-doubling'], limitNs: 10e6, pollNs: 20e6, nearPollNs: 20e6 };
    const polled = migration([], { cpuPerPageNs: 30e6, stop, pages: 100 });
    expect(polled.outcome).toBe('completed');
    // Preparing a page takes 30 ms, and somebody looks every 20 ms.
    expect(polled.rounds[0]!.durationNs).toBeLessThan(1.1 * 100 * 30e6);
  });
});

test('the bandwidth that a rule sees is that of a slow destination, though a page takes longer than a look', () => {
  const stop = { ...stopDefaults.downtime, limitNs: 3e9 };
  // A page takes 200 ms, so that the limit is 15 pages.
  const slow = [{ kind: 'slow-destination', bytesPerSecond: 5 * PAGE }] as const;
  const result = migration(slow, { stop, pages: 100 });
  expect(result.outcome).toBe('completed');
  expect(result.stop.pages).toBeGreaterThanOrEqual(14);
  expect(result.stop.pages).toBeLessThanOrEqual(16);
});
