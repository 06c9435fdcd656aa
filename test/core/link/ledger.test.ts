import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bucket, changeRate, fullBucket, reserve } from '../../../src/core/link/bucket.ts';
import { Conformance } from '../../../src/core/link/conformance.ts';
import {
  allowedBytesPerSecond,
  ask,
  changeCapacity,
  claim,
  demandOf,
  emptyLedger,
  grantedBytesPerSecond,
  impossible,
  inEpoch,
  isRevoked,
  type Ledger,
  type LinkRequest,
  leaseOf,
  nextEventNs,
  release,
  renew,
  revokeAll,
  settle,
} from '../../../src/core/link/ledger.ts';
import { Random } from '../../../src/core/random.ts';

const CAPACITY = 1_000;

function request(id: string, change: Partial<LinkRequest> = {}): LinkRequest {
  return {
    id,
    rateBytesPerSecond: 400,
    stopRateBytesPerSecond: 400,
    leastBytesPerSecond: 1,
    priority: 0,
    deadlineNs: null,
    askedAtNs: 0,
    ...change,
  };
}

const rate = fc.integer({ min: 1, max: CAPACITY });
type Event =
  | { readonly kind: 'ask'; readonly request: Omit<LinkRequest, 'id' | 'askedAtNs'> }
  | { readonly kind: 'release' | 'renew'; readonly which: number }
  | { readonly kind: 'capacity'; readonly capacity: number };
const asking: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant('ask' as const),
  request: fc.record({
    rateBytesPerSecond: rate,
    stopRateBytesPerSecond: rate,
    leastBytesPerSecond: fc.integer({ min: 1, max: 300 }),
    priority: fc.integer({ min: 0, max: 2 }),
    deadlineNs: fc.option(fc.integer({ min: 0, max: 400 })),
  }),
});
const changing: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constantFrom('release' as const, 'renew' as const), which: fc.nat({ max: 9 }) }),
  fc.record({ kind: fc.constant('capacity' as const), capacity: fc.integer({ min: 1, max: 1_500 }) }),
);
const story = (events: fc.Arbitrary<Event>) =>
  fc.array(fc.record({ afterNs: fc.nat({ max: 30 }), event: events }), { minLength: 1, maxLength: 40 });

/** Tells the story to a ledger, and everybody who looks on what happened, and when. */
function tell(
  ledger: Ledger,
  events: readonly { readonly afterNs: number; readonly event: Event }[],
  look: (after: Ledger, before: Ledger, now: number, event: Event, id: string) => void,
): void {
  let now = 0;
  for (const [index, { afterNs, event }] of events.entries()) {
    now += afterNs;
    const before = ledger;
    const known = [...ledger.leases, ...ledger.queue];
    const id =
      event.kind === 'ask'
        ? String(index)
        : (known[('which' in event ? event.which : 0) % known.length]?.id ?? '');
    if (event.kind === 'ask') {
      const asked = { ...event.request, id, askedAtNs: now };
      if (impossible(ledger, asked) !== undefined) continue;
      ledger = ask(ledger, asked, now);
    } else if (event.kind === 'capacity') ledger = changeCapacity(ledger, event.capacity, now);
    else ledger = (event.kind === 'release' ? release : renew)(ledger, id, now);
    look(ledger, before, now, event, id);
  }
}

describe('a link', () => {
  test('never grants more than it has, whatever is asked, released, renewed or taken back', () => {
    fc.assert(
      fc.property(
        story(fc.oneof(asking, changing)),
        fc.option(fc.integer({ min: 1, max: 60 })),
        (events, timeToLiveNs) => {
          tell(emptyLedger(CAPACITY, timeToLiveNs), events, (ledger) => {
            expect(grantedBytesPerSecond(ledger)).toBeLessThanOrEqual(ledger.capacityBytesPerSecond);
            for (const lease of ledger.leases) {
              const { grantedBytesPerSecond: granted, leastBytesPerSecond: least } = lease;
              if (granted > 0) expect(granted).toBeGreaterThanOrEqual(Math.min(least, demandOf(lease)));
            }
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('lets nobody wait who could be let in without overtaking anybody', () => {
    fc.assert(
      fc.property(story(fc.oneof(asking, changing)), (events) => {
        tell(emptyLedger(CAPACITY), events, (ledger) => {
          const [first] = ledger.queue;
          const free = ledger.capacityBytesPerSecond - grantedBytesPerSecond(ledger);
          if (first) expect(demandOf(first)).toBeGreaterThan(free);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('that was lost grants nothing new for a time to live, but takes up what its holders still have', () => {
    const before = ask(inEpoch(emptyLedger(CAPACITY, 100), 'one', -100), request('held'), 0);
    const lost = leaseOf(before, 'held')!;
    const anew = inEpoch(emptyLedger(CAPACITY, 100), 'two', 10);
    const asked = ask(anew, request('new', { rateBytesPerSecond: 700, stopRateBytesPerSecond: 700 }), 20);
    expect(asked.leases).toEqual([]);
    expect(nextEventNs(asked)).toBe(110);
    const claimed = claim(asked, lost, 30);
    expect(claimed.leases).toMatchObject([{ id: 'held', grantedBytesPerSecond: 400, expiresAtNs: 130 }]);
    expect(settle(claimed, 110).queue).toHaveLength(1);
    // Not claimed in time: by then it has ended at its holder too.
    expect(settle(asked, 110).leases).toMatchObject([{ id: 'new' }]);
    expect(claim(settle(asked, 110), lost, 115).leases).toMatchObject([{ id: 'new' }]);
    // The same epoch is the same ledger, an older one is not trusted.
    expect(inEpoch(claimed, 'two', 50)).toBe(claimed);
    expect(inEpoch(before, 'two', 50).quietUntilNs).toBe(150);
  });

  test('is the same when there is nothing to do, so that whoever keeps it can tell', () => {
    const granted = ask(emptyLedger(CAPACITY, 100), request('a'), 0);
    const waited = ask(granted, request('b', { rateBytesPerSecond: 700, deadlineNs: 50 }), 0);
    expect(settle(waited, 50)).toBe(waited);
    expect(release(waited, 'nobody', 50)).toBe(waited);
    expect(settle(waited, 51)).not.toBe(waited);
    expect(settle(granted, 99)).toBe(granted);
    expect(settle(granted, 100)).not.toBe(granted);
  });

  /** The rule as a person would carry it out: look through everybody who waits for the most urgent one. */
  test('grants in the order of priority, deadline and arrival, as an independent reading of the rule does', () => {
    const asksAndReleases = story(
      fc.oneof(asking, fc.record({ kind: fc.constant('release' as const), which: fc.nat({ max: 9 }) })),
    );
    fc.assert(
      fc.property(asksAndReleases, (events) => {
        let waiting: LinkRequest[] = [];
        let running: LinkRequest[] = [];
        tell(emptyLedger(CAPACITY), events, (ledger, before, now, event, id) => {
          if (event.kind === 'ask') waiting.push({ ...event.request, id, askedAtNs: now });
          const stays = (one: LinkRequest) => event.kind === 'ask' || one.id !== id;
          waiting = waiting.filter((one) => stays(one) && (one.deadlineNs === null || one.deadlineNs >= now));
          running = running.filter(stays);
          for (;;) {
            const moreUrgent = (a: LinkRequest, b: LinkRequest) =>
              a.priority > b.priority ||
              (a.priority === b.priority && (a.deadlineNs ?? 1e9) < (b.deadlineNs ?? 1e9));
            const first = waiting.reduce<LinkRequest | undefined>(
              (best, one) => (!best || moreUrgent(one, best) ? one : best),
              undefined,
            );
            const used = running.reduce(
              (sum, one) => sum + Math.max(one.rateBytesPerSecond, one.stopRateBytesPerSecond),
              0,
            );
            if (!first || used + Math.max(first.rateBytesPerSecond, first.stopRateBytesPerSecond) > CAPACITY)
              break;
            waiting = waiting.filter((one) => one !== first);
            running.push(first);
          }
          expect(new Set(ledger.leases.map((lease) => lease.id))).toEqual(
            new Set(running.map((one) => one.id)),
          );
          expect(before.capacityBytesPerSecond).toBe(CAPACITY);
        });
      }),
      { numRuns: 500 },
    );
  });

  test('has b_d for everybody whenever they stop: what they send together conforms to the capacity', () => {
    const migration = fc.record({
      rateBytesPerSecond: fc.integer({ min: 1_000, max: 1_000_000 }),
      stopRateBytesPerSecond: fc.integer({ min: 1_000, max: 1_000_000 }),
      depthBytes: fc.integer({ min: 1_500, max: 20_000 }),
      /** Some stop at the same instant. */
      stopsAtNs: fc.constantFrom(0, 5e6, 10e6, 10e6, 13e6),
    });
    fc.assert(
      fc.property(fc.array(migration, { minLength: 1, maxLength: 8 }), fc.nat(), (all, seed) => {
        const capacity = 1_500_000;
        const asked = all.reduce(
          (ledger, { depthBytes: _, stopsAtNs: __, ...rates }, id) =>
            ask(ledger, request(String(id), rates), 0),
          emptyLedger(capacity),
        );
        const random = Random.seeded(seed, 1);
        const departures = asked.leases.flatMap(({ id }) => {
          const { rateBytesPerSecond, stopRateBytesPerSecond, depthBytes, stopsAtNs } = all[Number(id)]!;
          let bucket: Bucket = fullBucket(rateBytesPerSecond, depthBytes, 0);
          const sent: { at: number; bytes: number }[] = [];
          for (let now = 0; sent.length < 60; ) {
            const bytes = 1 + Math.floor(random.uniform() * Math.min(1_500, depthBytes));
            if (now < stopsAtNs && reserve(bucket, now, bytes).at >= stopsAtNs) {
              now = stopsAtNs;
              bucket = changeRate(bucket, stopRateBytesPerSecond, now);
            }
            const { at, next } = reserve(bucket, now, bytes);
            now = at;
            bucket = next;
            sent.push({ at, bytes });
          }
          return sent;
        });
        const depths = asked.leases.reduce((sum, { id }) => sum + all[Number(id)]!.depthBytes, 0);
        const together = new Conformance(depths, 0);
        for (const { at, bytes } of departures.sort((one, other) => one.at - other.at)) {
          together.departed(at, bytes, capacity);
        }
        expect(together.worstExcessBytes).toBeLessThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request', () => {
  test('that can never be granted is refused with what would fit', () => {
    const ledger = emptyLedger(12_500_000);
    expect(impossible(ledger, request('a', { rateBytesPerSecond: 12_500_000 }))).toBeUndefined();
    const rates = { rateBytesPerSecond: 6_250_000, stopRateBytesPerSecond: 25_000_000 };
    expect(impossible(ledger, request('a', rates))).toBe(
      'the larger of b 50 Mbit/s and b_d 200 Mbit/s asked of a link of 100 Mbit/s; at most 100 Mbit/s would fit',
    );
  });

  test('is granted at its deadline, and gone a nanosecond later', () => {
    let ledger = ask(emptyLedger(CAPACITY), request('long', { rateBytesPerSecond: 1_000 }), 0);
    ledger = ask(ledger, request('late', { deadlineNs: 50 }), 10);
    expect(nextEventNs(ledger)).toBe(51);
    expect(release(ledger, 'long', 50).leases.map(({ id }) => id)).toEqual(['late']);
    expect(settle(ledger, 51).queue).toEqual([]);
    expect(release(ledger, 'long', 51).leases).toEqual([]);
  });

  test('does not wait behind a large one that asked later, and not before a more urgent one', () => {
    let ledger = emptyLedger(CAPACITY);
    for (const [id, rateBytesPerSecond, priority] of [
      ['first', 700, 0],
      ['large', 900, 0],
      ['small', 300, 0],
      ['urgent', 800, 1],
    ] as const) {
      ledger = ask(ledger, request(id, { rateBytesPerSecond, stopRateBytesPerSecond: 1, priority }), 0);
    }
    expect(ledger.queue.map(({ id }) => id)).toEqual(['urgent', 'large', 'small']);
    ledger = release(ledger, 'first', 1);
    expect(ledger.leases.map(({ id }) => id)).toEqual(['urgent']);
    ledger = release(release(ledger, 'urgent', 2), 'large', 3);
    expect(ledger.leases.map(({ id }) => id)).toEqual(['small']);
  });
});

describe('when the capacity falls', () => {
  const three = () =>
    [
      request('a', { priority: 1, rateBytesPerSecond: 300 }),
      request('b', { rateBytesPerSecond: 300, stopRateBytesPerSecond: 200 }),
      request('c', { rateBytesPerSecond: 300, stopRateBytesPerSecond: 300, leastBytesPerSecond: 250 }),
    ].reduce((ledger, one) => ask(ledger, one, 0), emptyLedger(CAPACITY));
  const granted = (ledger: Ledger) =>
    Object.fromEntries(ledger.leases.map((lease) => [lease.id, lease.grantedBytesPerSecond]));

  test('the least urgent, of equals the last, keeps what is left for it', () => {
    expect(granted(three())).toEqual({ a: 400, b: 300, c: 300 });
    expect(granted(changeCapacity(three(), 960, 1))).toEqual({ a: 400, b: 300, c: 260 });
  });

  test('one that would keep less than its least loses everything, and the next may keep its own', () => {
    expect(granted(changeCapacity(three(), 900, 1))).toEqual({ a: 400, b: 300, c: 0 });
    expect(granted(changeCapacity(three(), 650, 1))).toEqual({ a: 400, b: 250, c: 0 });
    expect(granted(changeCapacity(three(), 100, 1))).toEqual({ a: 100, b: 0, c: 0 });
  });

  test('what was taken back returns with the capacity, before anybody who waits has it', () => {
    const curbed = ask(
      changeCapacity(three(), 960, 1),
      request('d', { rateBytesPerSecond: 10, stopRateBytesPerSecond: 10 }),
      1,
    );
    expect(granted(changeCapacity(curbed, 970, 2))).toEqual({ a: 400, b: 300, c: 270 });
    expect(granted(changeCapacity(curbed, CAPACITY + 10, 2))).toEqual({ a: 400, b: 300, c: 300, d: 10 });
    expect(granted(release(curbed, 'a', 2))).toEqual({ b: 300, c: 260, d: 10 });
  });

  test('a lease of which nothing is left does not return: its holder has given up', () => {
    expect(granted(changeCapacity(changeCapacity(three(), 900, 1), CAPACITY, 2))).toEqual({
      a: 400,
      b: 300,
      c: 0,
    });
  });

  test('to nothing, that is an outage: all keep what they have, nobody sends, and those who wait go on waiting', () => {
    const waiting = ask(three(), request('d', { deadlineNs: 50 }), 1);
    const out = changeCapacity(waiting, 0, 2);
    expect(granted(out)).toEqual(granted(waiting));
    expect(out.leases.map((lease) => allowedBytesPerSecond(out, lease))).toEqual([0, 0, 0]);
    expect(out.leases.some(isRevoked)).toBe(false);
    expect(out.queue.map(({ id }) => id)).toEqual(['d']);
    expect(settle(out, 51).queue).toEqual([]);
    expect(impossible(out, request('large', { rateBytesPerSecond: 10 * CAPACITY }))).toBeUndefined();
    expect(changeCapacity(out, CAPACITY, 3)).toEqual(waiting);
    expect(granted(changeCapacity(out, 960, 3))).toEqual({ a: 400, b: 300, c: 260 });
  });

  test('for good, all have to give up, and nobody waits any more', () => {
    const gone = revokeAll(ask(three(), request('d'), 1));
    expect(gone.leases.every(isRevoked)).toBe(true);
    expect(gone.queue).toEqual([]);
  });

  test('a request that has become impossible leaves the queue', () => {
    const waiting = ask(three(), request('d'), 1);
    expect(changeCapacity(waiting, 399, 2).queue).toEqual([]);
  });
});

describe('an elastic migration', () => {
  const elastic = (id: string) =>
    request(id, {
      rateBytesPerSecond: 0,
      stopRateBytesPerSecond: 0,
      leastBytesPerSecond: 0,
      isElastic: true,
    });
  const allowed = (ledger: Ledger) =>
    Object.fromEntries(ledger.leases.map((lease) => [lease.id, allowedBytesPerSecond(ledger, lease)]));

  test('has an equal part of what reservations leave, waits for nobody, and keeps nobody waiting', () => {
    let ledger = ask(emptyLedger(CAPACITY), request('reserved'), 0);
    ledger = ask(ledger, elastic('one'), 1);
    expect(allowed(ledger)).toEqual({ reserved: 400, one: 600 });
    ledger = ask(ledger, request('large', { rateBytesPerSecond: 900, leastBytesPerSecond: 900 }), 2);
    ledger = ask(ledger, elastic('two'), 3);
    expect(ledger.queue.map(({ id }) => id)).toEqual(['large']);
    expect(allowed(ledger)).toEqual({ reserved: 400, one: 300, two: 300 });
    ledger = release(ledger, 'reserved', 4);
    expect(allowed(ledger)).toEqual({ one: 50, two: 50, large: 900 });
    expect(allowed(changeCapacity(ledger, 900, 5))).toEqual({ one: 0, two: 0, large: 900 });
    expect(changeCapacity(ledger, 800, 5).leases.map(isRevoked)).toEqual([false, false, true]);
  });

  test('takes, with all others, no more than the link has, and of elastic ones no one has more than another', () => {
    const some = fc.oneof(
      fc.record({ kind: fc.constant('reserved' as const), rateBytesPerSecond: rate }),
      fc.record({ kind: fc.constantFrom('elastic' as const, 'release' as const), which: fc.nat({ max: 9 }) }),
      fc.record({ kind: fc.constant('capacity' as const), capacity: fc.integer({ min: 0, max: 1_500 }) }),
    );
    fc.assert(
      fc.property(fc.array(some, { maxLength: 30 }), (events) => {
        let ledger = emptyLedger(CAPACITY);
        for (const [now, event] of events.entries()) {
          const id = String(now);
          if (event.kind === 'reserved') ledger = ask(ledger, request(id, event), now);
          else if (event.kind === 'elastic') ledger = ask(ledger, elastic(id), now);
          else if (event.kind === 'capacity') ledger = changeCapacity(ledger, event.capacity, now);
          else ledger = release(ledger, ledger.leases[event.which % ledger.leases.length]?.id ?? '', now);
          const parts = ledger.leases.filter(({ isElastic }) => isElastic);
          const shares = new Set(parts.map((lease) => allowedBytesPerSecond(ledger, lease)));
          expect(shares.size).toBeLessThanOrEqual(1);
          const all = ledger.leases.reduce((sum, lease) => sum + allowedBytesPerSecond(ledger, lease), 0);
          expect(all).toBeLessThanOrEqual(ledger.capacityBytesPerSecond);
          // Nothing is left over but what does not divide.
          if (parts.length > 0 && ledger.capacityBytesPerSecond > 0)
            expect(all).toBeGreaterThan(ledger.capacityBytesPerSecond - parts.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a lease with a time to live', () => {
  test('returns when its holder does not renew it, and not before', () => {
    let ledger = ask(emptyLedger(CAPACITY, 100), request('dead', { rateBytesPerSecond: 1_000 }), 0);
    ledger = ask(ledger, request('next'), 10);
    ledger = renew(ledger, 'dead', 60);
    expect(nextEventNs(ledger)).toBe(160);
    expect(settle(ledger, 159).leases.map(({ id }) => id)).toEqual(['dead']);
    ledger = settle(ledger, 160);
    expect(ledger.leases.map(({ id, expiresAtNs }) => [id, expiresAtNs])).toEqual([['next', 260]]);
    expect(renew(ledger, 'dead', 161).leases.map(({ id }) => id)).toEqual(['next']);
  });
});
