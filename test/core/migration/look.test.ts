import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextLook, soon } from '../../../src/core/migration/look.ts';
import type { RoundRecord } from '../../../src/core/migration/migration-result.ts';
import type { Progress } from '../../../src/core/migration/stop/stop-rule.ts';
import type { StopSpec } from '../../../src/core/migration/stop/stops.ts';
import { StopDecision } from '../../../src/core/migration/stop-decision.ts';
import { stopDefaults } from '../../fixtures/stop-defaults.ts';
import { GiB, MiB, MS, progress, round, SECOND } from './stop/progress.ts';

const PAGE = 4096;
const RATE = 10 * MiB;
const SLOT_NS = (PAGE * SECOND) / RATE;
const plan = { pageBytes: PAGE, rateBytesPerSecond: RATE };
const goOn = { decision: 'go on', pendingBelowBytes: 3 * MiB, atNs: 7 * SECOND } as const;
const at = (given: Partial<Progress>) => progress({ bandwidthBytesPerSecond: RATE, ...given });

describe('the next look', () => {
  test('is half of the way to the level, and near it a hundredth of the level', () => {
    const pages = (pendingBytes: number) => nextLook(plan, goOn, at({ pendingBytes })).pages;
    expect(pages(1003 * MiB)).toBe((500 * MiB) / PAGE);
    expect(pages(3 * MiB + 100 * PAGE)).toBe(50);
    expect(pages(3 * MiB + PAGE)).toBe(Math.floor((0.01 * 3 * MiB) / PAGE));
  });

  test('is no later than the instant that the rule names', () => {
    expect(nextLook(plan, goOn, at({ pendingBytes: GiB })).atNs).toBe(7 * SECOND);
  });

  test('comes before the next page has left, where a page takes more than a hundredth of the limit', () => {
    const slow = { pageBytes: PAGE, rateBytesPerSecond: 62_500 };
    const level = { ...goOn, pendingBelowBytes: 18_750 };
    const five = at({ pendingBytes: 5 * PAGE, elapsedNs: SECOND, bandwidthBytesPerSecond: 62_500 });
    const look = nextLook(slow, level, five);
    expect(look.pages).toBe(1);
    expect((look.atNs - SECOND) / MS).toBeCloseTo((((5 * PAGE - 18_750) / 2) * 1e3) / 62_500, 3);
  });

  test('is at the end of the first window of the meter, as long as no bandwidth is known', () => {
    const unknown = (elapsedNs: number) =>
      nextLook(plan, { ...goOn, pendingBelowBytes: 0 }, at({ elapsedNs, bandwidthBytesPerSecond: 0 }));
    expect(unknown(0)).toEqual({ pages: Number.POSITIVE_INFINITY, atNs: 100 * MS });
    expect(unknown(99 * MS).atNs).toBe(109 * MS);
  });

  test('of a rule that does not say when is in 10 ms, or a 2048th of a copy of a large memory', () => {
    expect(soon(at({ elapsedNs: SECOND, guestBytes: MiB }))).toBe(SECOND + 10 * MS);
    expect(soon(at({ elapsedNs: SECOND, guestBytes: 20480 * MiB }))).toBe(2 * SECOND);
  });
});

interface Guest {
  readonly pages: number;
  /** Of these, so many are written again and again. */
  readonly hotPages: number;
  /** How many of them are written while a page is sent. */
  readonly perSlot: number;
}

/** How a migration of a guest that writes evenly ends, and how often its rule was asked. */
function migrated(stop: StopSpec, { pages, hotPages, perSlot }: Guest, everyPage: boolean) {
  const decision = new StopDecision({ stop, timeoutNs: 500 * SECOND, stopRateBytesPerSecond: RATE });
  const rounds: RoundRecord[] = [];
  const seen = (pendingPages: number, elapsedNs: number, roundEnded: boolean): Progress => ({
    ...{ rounds: [...rounds], roundEnded, pendingPages, elapsedNs, deviceBytes: 0 },
    pendingBytes: pendingPages * PAGE,
    sentBytes: (elapsedNs * RATE) / SECOND,
    bandwidthBytesPerSecond: elapsedNs < 100 * MS ? 0 : RATE,
    guestBytes: pages * PAGE,
  });
  let [nowNs, toSend, asked] = [0, pages, 0];
  let last = seen(pages, 0, true);
  let answer = decision.begin(last);
  const ask = (pending: number, roundEnded: boolean) => {
    asked += 1;
    last = seen(pending, nowNs, roundEnded);
    answer = decision.ask(last);
  };
  while (answer.decision === 'go on') {
    const dirtied = (sent: number) => Math.min(hotPages, Math.floor(perSlot * sent));
    for (let sent = 0; sent < toSend; ) {
      const look = nextLook(plan, answer, last);
      const inTime = Math.ceil((look.atNs - nowNs) / SLOT_NS);
      const batch = everyPage ? 1 : Math.max(1, Math.min(look.pages, inTime, toSend - sent));
      sent += batch;
      nowNs += batch * SLOT_NS;
      if (sent < toSend) ask(toSend - sent + dirtied(sent), false);
      if (answer.decision !== 'go on') return { answer, nowNs, asked };
    }
    rounds.push(round(toSend));
    toSend = Math.max(1, dirtied(toSend));
    ask(toSend, true);
  }
  return { answer, nowNs, asked };
}

describe('a rule that is asked only when its answer can change', () => {
  const guests = fc.record({
    pages: fc.integer({ min: 2_000, max: 20_000 }),
    hotPages: fc.integer({ min: 0, max: 2_000 }),
    perSlot: fc.double({ min: 0, max: 0.95, noNaN: true }),
  });
  const stops = fc.constantFrom<StopSpec>(
    { rule: 'downtime', limitNs: 300 * MS },
    { rule: 'downtime', limitNs: 300 * MS, maxDowntimeNs: 200 * MS },
    { ...stopDefaults['nova-steps'], limitNs: 500 * MS, delayPerGiBNs: SECOND, abortPerGiBNs: 40 * SECOND },
    { ...stopDefaults['kubevirt-ramp'], everyNs: 2 * SECOND },
    { ...stopDefaults['kubevirt-stall'], patienceNs: 4 * SECOND },
  );

  test('decides as if it were asked at every page, and at the same instant within a hundredth of its limit', () => {
    fc.assert(
      fc.property(stops, guests, (stop, guest) => {
        const [always, seldom] = [migrated(stop, guest, true), migrated(stop, guest, false)];
        expect(seldom.answer.decision).toBe(always.answer.decision);
        const toleranceNs = 0.01 * 1050 * MS + 2 * SLOT_NS;
        expect(Math.abs(seldom.nowNs - always.nowNs)).toBeLessThanOrEqual(toleranceNs);
        expect(seldom.asked).toBeLessThanOrEqual(always.asked);
      }),
      { numRuns: 30 },
    );
  });

  test('is asked some twenty times on the way to its level, however large the guest', () => {
    const stop = { rule: 'downtime', limitNs: 300 * MS } as const;
    const idle = { pages: 200_000, hotPages: 0, perSlot: 0 };
    expect(migrated(stop, idle, false).asked).toBeLessThan(25);
    const left = 200_000 * SLOT_NS - migrated(stop, idle, false).nowNs;
    expect(left / MS).toBeGreaterThan(297);
    expect(left / MS).toBeLessThan(300);
  });
});
