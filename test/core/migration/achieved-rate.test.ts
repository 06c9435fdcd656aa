import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idleLink } from '../../../src/core/link/account.ts';
import { achievedRates, linkShortfalls, shortfallNote } from '../../../src/core/migration/achieved-rate.ts';
import { NANOS_PER_SECOND } from '../../../src/core/units.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const RATE = 12_500_000;
const { plan } = smallSetup();
const round = {
  ...{ round: 1, dirtyPages: 0, sentPages: 0, deferredPages: 0, skippedPages: 0, zeroPages: 0 },
  durationNs: 0,
};

/** A migration that sent 2 s worth of bytes live, and half a second's at the stop, and took so much longer. */
function migration(live: number, stop: number, lateNs = 0, change = {}) {
  const bytes = { live: 2 * RATE, stop: RATE / 2 };
  const changed = { ...plan, ...change };
  return {
    plan: changed,
    rounds: [{ ...round, bytes: bytes.live }],
    stop: { pages: 0, bytes: bytes.stop, durationNs: 0 },
    achieved: achievedRates(
      changed,
      { bytes: bytes.live, durationNs: 2 * live * NANOS_PER_SECOND },
      { bytes: bytes.stop, durationNs: 0.5 * stop * NANOS_PER_SECOND },
    ),
    link: { ...idleLink(plan.depthBytes), lateNs },
  };
}

describe('what a link carried of what was reserved', () => {
  test('is told of each phase in which less than nine tenths arrived', () => {
    expect(linkShortfalls(migration(1, 1))).toEqual([]);
    expect(linkShortfalls(migration(1.05, 1.08))).toEqual([]);
    expect(linkShortfalls(migration(2, 1)).map(shortfallNote)).toEqual([
      'Of the 100 Mbit/s reserved for the live rounds, the link carried 50 %.',
    ]);
    expect(linkShortfalls(migration(2, 4)).map(shortfallNote)).toEqual([
      'Of the 100 Mbit/s reserved for the live rounds, the link carried 50 %.',
      'Of the 100 Mbit/s reserved for the stop, the link carried 25 %.',
    ]);
  });

  test('is not told where most of the time was lost because the sender came too late', () => {
    expect(linkShortfalls(migration(2, 1, 1.9e9))).toEqual([]);
    expect(linkShortfalls(migration(2, 1, 0.5e9)).map(Object.keys)).toEqual([
      ['phase', 'reservedBytesPerSecond', 'achievedBytesPerSecond'],
    ]);
  });

  test('is not told of a migration to which nothing was promised', () => {
    expect(linkShortfalls(migration(2, 2, 0, { isElastic: true }))).toEqual([]);
    const unlimited = { rateBytesPerSecond: null, stopRateBytesPerSecond: null };
    expect(linkShortfalls(migration(2, 2, 0, unlimited))).toEqual([]);
  });

  test('is at most what was reserved, and nothing of a phase that a full bucket let through at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 0, max: 1e10 }),
        (bytes, durationNs) => {
          const { liveBytesPerSecond: rate } = achievedRates(
            plan,
            { bytes, durationNs },
            { bytes: 0, durationNs: 0 },
          );
          if (bytes <= plan.depthBytes || durationNs === 0) expect(rate).toBeNull();
          else expect(rate).toBeLessThanOrEqual(RATE);
        },
      ),
    );
  });
});
