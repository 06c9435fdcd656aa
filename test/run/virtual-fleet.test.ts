import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/migration/plan.ts';
import { migrateVirtually } from '../../src/run/ensemble.ts';
import { type FleetMember, virtualFleet } from '../../src/run/virtual-fleet.ts';
import type { LinkShare } from '../../src/scenario/fleet.ts';
import { smallSetup } from '../fixtures/setup.ts';

const MBIT = 125_000;
const PAGE = 4_112;
const idle = { kind: 'classes' as const, classes: [{ pages: 1, writesPerSecond: 0 }] };

interface Wanted extends Partial<LinkShare> {
  readonly rate: number;
  readonly stopRate?: number;
  readonly pages?: number;
  readonly seed?: number;
  readonly plan?: Partial<Plan>;
}

function member({ rate, stopRate = rate, pages = 800, seed = 7, plan = {}, ...share }: Wanted): FleetMember {
  return {
    spec: smallSetup({
      guest: { pages, program: idle, seed },
      plan: { rateBytesPerSecond: rate, stopRateBytesPerSecond: stopRate, observeNs: 0, ...plan },
    }),
    share: {
      link: 'link',
      capacityBytesPerSecond: 100 * MBIT,
      changes: [],
      name: 'guest',
      atNs: 0,
      priority: 0,
      queueTimeoutNs: null,
      leastBytesPerSecond: Math.max(rate, stopRate),
      ...share,
    },
  };
}

const carriedOut = (members: readonly FleetMember[]) => [...virtualFleet(members)];

/** What is granted at its most, by the admissions alone. */
function mostGranted(fleet: ReturnType<typeof carriedOut>): number {
  const starts = fleet.map(({ admission }) => admission.askedAtNs + admission.waitedNs);
  return Math.max(
    ...starts.map((now) =>
      fleet.reduce((sum, { admission }) => {
        const { askedAtNs, waitedNs, releasedAtNs, grantedBytesPerSecond, revocations } = admission;
        if (askedAtNs + waitedNs > now || releasedAtNs <= now) return sum;
        const left = revocations.findLast(({ atNs }) => atNs <= now)?.rateBytesPerSecond;
        return sum + (left ?? grantedBytesPerSecond);
      }, 0),
    ),
  );
}

describe('several migrations over one link', () => {
  test('that fit have exactly what they reserved, all at once', () => {
    const rates = [20 * MBIT, 30 * MBIT, 50 * MBIT];
    const fleet = carriedOut(rates.map((rate) => member({ rate })));
    for (const [index, { result, admission }] of fleet.entries()) {
      const { bytes, durationNs } = result.rounds[0]!;
      expect(admission.waitedNs).toBe(0);
      expect(Math.abs(durationNs - ((bytes - 65_536) * 1e9) / rates[index]!)).toBeLessThan(
        (PAGE * 1e9) / rates[index]!,
      );
      expect(result.link.worstExcessBytes).toBeLessThanOrEqual(0);
    }
    expect(mostGranted(fleet)).toBe(100 * MBIT);
  });

  test('a migration of its own goes as it goes alone', () => {
    const [{ result }, other] = carriedOut([
      member({ rate: 60 * MBIT }),
      member({ rate: 60 * MBIT, seed: 8 }),
    ]) as [ReturnType<typeof carriedOut>[number], ReturnType<typeof carriedOut>[number]];
    const alone = migrateVirtually(member({ rate: 60 * MBIT }).spec);
    expect({ ...result, link: undefined }).toEqual({ ...alone, link: undefined });
    expect(other.admission.waitedNs).toBe(result.totalNs);
  });

  test('the larger of b and b_d is what has to fit', () => {
    const [, second] = carriedOut([
      member({ rate: 40 * MBIT, stopRate: 60 * MBIT }),
      member({ rate: 40 * MBIT, stopRate: 41 * MBIT }),
    ]);
    expect(second!.admission.waitedNs).toBeGreaterThan(0);
  });

  test('one whose queue time-out ends before its turn never starts, and its guest stays where it is', () => {
    const [, late] = carriedOut([
      member({ rate: 60 * MBIT }),
      member({ rate: 60 * MBIT, queueTimeoutNs: 50e6 }),
    ]);
    expect(late!.result).toMatchObject({
      outcome: 'aborted',
      owner: 'source',
      reason: 'not admitted: not granted within 50 ms',
      rounds: [],
      link: { sentBytes: 0 },
    });
    expect(late!.admission).toMatchObject({ grantedBytesPerSecond: 0, waitedNs: 50e6 + 1 });
  });

  test('whatever is asked, no more is granted than there is, and everybody comes to an end', () => {
    const wanted = fc.record({
      rate: fc.integer({ min: MBIT, max: 100 * MBIT }),
      stopRate: fc.integer({ min: MBIT, max: 100 * MBIT }),
      pages: fc.integer({ min: 20, max: 200 }),
      atNs: fc.nat({ max: 100e6 }),
      priority: fc.nat({ max: 2 }),
      queueTimeoutNs: fc.option(fc.nat({ max: 100e6 })),
      leastBytesPerSecond: fc.integer({ min: 1, max: MBIT }),
    });
    const change = fc.record({
      atNs: fc.nat({ max: 200e6 }),
      capacityBytesPerSecond: fc.integer({ min: 10 * MBIT, max: 120 * MBIT }),
    });
    fc.assert(
      fc.property(
        fc.array(wanted, { minLength: 1, maxLength: 6 }),
        fc.array(change, { maxLength: 2 }),
        (all, changes) => {
          const fleet = carriedOut(all.map((one) => member({ ...one, changes })));
          const most = Math.max(
            100 * MBIT,
            ...changes.map(({ capacityBytesPerSecond }) => capacityBytesPerSecond),
          );
          expect(mostGranted(fleet)).toBeLessThanOrEqual(most);
          for (const { result, admission } of fleet) {
            expect(['completed', 'aborted']).toContain(result.outcome);
            if (result.outcome === 'completed') expect(result.link.worstExcessBytes).toBeLessThanOrEqual(0);
            else expect(result.owner).toBe('source');
            expect(admission.releasedAtNs).toBeGreaterThanOrEqual(admission.askedAtNs + admission.waitedNs);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a reservation that is revoked midway', () => {
  const changes = [{ atNs: 200e6, capacityBytesPerSecond: 60 * MBIT }];

  test('slows its migration down from that instant on, to the nanosecond of a page', () => {
    const [urgent, other] = carriedOut([
      member({ rate: 40 * MBIT, priority: 1, changes }),
      member({ rate: 40 * MBIT, changes, leastBytesPerSecond: 10 * MBIT }),
    ]);
    expect(urgent!.admission.revocations).toEqual([]);
    expect(other!.admission.revocations).toEqual([{ atNs: 200e6, rateBytesPerSecond: 20 * MBIT }]);
    const { bytes, durationNs } = other!.result.rounds[0]!;
    const before = 65_536 + 40 * MBIT * 0.2;
    const expectedNs = 200e6 + ((bytes - before) * 1e9) / (20 * MBIT);
    expect(Math.abs(durationNs - expectedNs)).toBeLessThan((PAGE * 1e9) / (20 * MBIT));
    expect(other!.result).toMatchObject({
      outcome: 'completed',
      link: { reservedBytesPerSecond: 40 * MBIT },
    });
    expect(other!.result.link.worstExcessBytes).toBeLessThanOrEqual(0);
  });

  test('ends its migration at that instant if too little is left, and the guest stays', () => {
    const [, other] = carriedOut([
      member({ rate: 40 * MBIT, priority: 1, changes }),
      member({ rate: 40 * MBIT, changes }),
    ]);
    expect(other!.result).toMatchObject({
      outcome: 'aborted',
      owner: 'source',
      reason: 'the reservation of 40 Mbit/s was revoked: the link has only 60 Mbit/s left',
    });
    expect(other!.result.link.sentBytes).toBeLessThanOrEqual(65_536 + 40 * MBIT * 0.2);
    expect(other!.result.totalNs).toBe(200e6);
  });

  test('the same where CPU time is scheduled', () => {
    const scheduled = (wanted: Wanted): FleetMember => {
      const { spec, share } = member(wanted);
      const sender = { budgetNs: 5e6, periodNs: 10e6 };
      return {
        share,
        spec: {
          ...spec,
          cpu: { ...spec.cpu, scheduler: 'cbs-hard', sender, cpuPerPageNs: 20_000, hogs: 1 },
        },
      };
    };
    const fleet = carriedOut([
      scheduled({ rate: 40 * MBIT, priority: 1, changes }),
      scheduled({ rate: 40 * MBIT, changes }),
      scheduled({ rate: 20 * MBIT, changes, leastBytesPerSecond: MBIT, priority: 1 }),
    ]);
    expect(fleet.map(({ result }) => result.outcome)).toEqual(['completed', 'aborted', 'completed']);
    for (const { result } of fleet) expect(result.link.worstExcessBytes).toBeLessThanOrEqual(0);
  });
});

describe('an outage of the link', () => {
  const outage = (fromNs: number, toNs: number) => [
    { atNs: fromNs, capacityBytesPerSecond: 0 },
    { atNs: toNs, capacityBytesPerSecond: 100 * MBIT },
  ];

  test('is waited for, whenever it comes, and costs its own length and no more', () => {
    const alone = carriedOut([member({ rate: 80 * MBIT })])[0]!;
    const { totalNs } = alone.result;
    const when = fc.record({
      from: fc.double({ min: 0.01, max: 0.95, noNaN: true }),
      lengthNs: fc.integer({ min: 1e6, max: 60e9 }),
    });
    fc.assert(
      fc.property(when, ({ from, lengthNs }) => {
        const fromNs = Math.round(from * totalNs);
        const changes = outage(fromNs, fromNs + lengthNs);
        const [{ result }] = carriedOut([
          member({ rate: 80 * MBIT, changes, plan: { stopTimeoutNs: 120e9 } }),
        ]) as [typeof alone];
        expect(result.outcome).toBe('completed');
        expect(result.rounds.map(({ sentPages }) => sentPages)).toEqual(
          alone.result.rounds.map(({ sentPages }) => sentPages),
        );
        // What the bucket holds is saved up meanwhile.
        const savedNs = (65_536 * 1e9) / (80 * MBIT);
        expect(result.totalNs).toBeGreaterThan(totalNs + lengthNs - savedNs - 1e6);
        expect(result.totalNs).toBeLessThanOrEqual(totalNs + lengthNs + 1);
        expect(result.link.worstExcessBytes).toBeLessThanOrEqual(0);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps everybody in their place: those who wait, and those who come meanwhile', () => {
    const changes = outage(100e6, 5e9);
    const fleet = carriedOut([
      member({ rate: 80 * MBIT, changes }),
      member({ rate: 80 * MBIT, changes, atNs: 50e6 }),
      member({ rate: 80 * MBIT, changes, atNs: 2e9 }),
    ]);
    expect(fleet.map(({ result }) => result.outcome)).toEqual(['completed', 'completed', 'completed']);
    expect(fleet[1]!.admission.waitedNs).toBeGreaterThan(4.9e9);
    expect(mostGranted(fleet)).toBeLessThanOrEqual(100 * MBIT);
  });

  test('does not stop the clocks: a time-out passes, a pause ends, a patience too', () => {
    const changes = outage(100e6, 50e9);
    const [late, impatient] = carriedOut([
      member({ rate: 80 * MBIT, changes, plan: { timeoutNs: 3e9 } }),
      member({ rate: 80 * MBIT, changes, queueTimeoutNs: 1e9 }),
    ]);
    expect(late!.result).toMatchObject({
      ...{ outcome: 'not-converged', owner: 'source', downtimeNs: 0, totalNs: 3e9 },
      reason: expect.stringMatching(/^the timeout of 3 s has passed with \d+ pages pending$/),
    });
    expect(impatient!.result.reason).toBe('not admitted: not granted within 1 s');
    const { result } = carriedOut([member({ rate: 80 * MBIT })])[0]!;
    const pausedAtNs = result.totalNs - result.downtimeNs;
    const [paused] = carriedOut([
      member({ rate: 80 * MBIT, changes: outage(pausedAtNs + 1e3, 50e9), plan: { stopTimeoutNs: 2e9 } }),
    ]);
    expect(paused!.result).toMatchObject({ outcome: 'aborted', owner: 'source', downtimeNs: 2e9 });
  });

  test('without end is no reason to compute without end', () => {
    const changes = [{ atNs: 100e6, capacityBytesPerSecond: 0 }];
    const [late, waiting] = carriedOut([
      member({ rate: 80 * MBIT, changes, plan: { timeoutNs: 3e9 } }),
      member({ rate: 80 * MBIT, changes }),
    ]);
    expect(late!.result.outcome).toBe('not-converged');
    expect(waiting!.result.reason).toBe('not admitted: the link carries nothing any more');
  });
});

describe('elastic migrations', () => {
  const elastic = (wanted: Omit<Wanted, 'rate'> = {}) =>
    member({
      rate: 100 * MBIT,
      leastBytesPerSecond: 0,
      ...wanted,
      plan: { isElastic: true, ...wanted.plan },
    });
  const bytesOf = ({ result }: ReturnType<typeof carriedOut>[number]) => result.link.sentBytes;

  test('that are alike have equal parts and end together, n times as late as one alone', () => {
    const alone = carriedOut([elastic()])[0]!.result.totalNs;
    for (const count of [2, 4]) {
      const fleet = carriedOut(Array.from({ length: count }, () => elastic()));
      const totals = fleet.map(({ result }) => result.totalNs);
      expect(Math.max(...totals) - Math.min(...totals)).toBeLessThan(5e6);
      // Each has a bucket of its own, which is full at first.
      expect(totals[0]! / alone).toBeGreaterThan(0.85 * count);
      expect(totals[0]! / alone).toBeLessThan(1.05 * count);
    }
  });

  test('share what reservations leave, and have all of it again once these are gone', () => {
    const [reserved, one, other] = carriedOut([
      member({ rate: 60 * MBIT, pages: 400 }),
      elastic(),
      elastic({ atNs: 50e6 }),
    ]);
    expect(reserved!.admission.revocations).toEqual([]);
    expect(one!.admission.grantedBytesPerSecond).toBe(40 * MBIT);
    expect(one!.admission.revocations[0]).toEqual({ atNs: 50e6, rateBytesPerSecond: 20 * MBIT });
    expect(one!.admission.revocations[1]).toEqual({
      atNs: reserved!.admission.releasedAtNs,
      rateBytesPerSecond: 50 * MBIT,
    });
    expect(other!.result.outcome).toBe('completed');
    expect(other!.admission.waitedNs).toBe(0);
  });

  test('that are left nothing wait until there is something', () => {
    const [reserved, one] = carriedOut([member({ rate: 100 * MBIT }), elastic()]);
    expect(one!.result.outcome).toBe('completed');
    expect(one!.admission.grantedBytesPerSecond).toBe(0);
    expect(one!.result.totalNs).toBeGreaterThan(reserved!.result.totalNs);
  });

  test('carry together no more than the link, whoever comes and goes', () => {
    const wanted = fc.record({
      pages: fc.integer({ min: 20, max: 300 }),
      atNs: fc.nat({ max: 200e6 }),
      reserved: fc.option(fc.integer({ min: MBIT, max: 60 * MBIT })),
    });
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 1, maxLength: 5 }), (all) => {
        const fleet = carriedOut(
          all.map(({ reserved, ...one }) =>
            reserved === null ? elastic(one) : member({ rate: reserved, ...one }),
          ),
        );
        const beganNs = Math.min(...fleet.map(({ admission }) => admission.askedAtNs));
        const endedNs = Math.max(...fleet.map(({ admission }) => admission.releasedAtNs));
        const bytes = fleet.reduce((sum, one) => sum + bytesOf(one), 0);
        expect(fleet.every(({ result }) => result.outcome === 'completed')).toBe(true);
        expect(bytes).toBeLessThanOrEqual(((endedNs - beganNs) * 100 * MBIT) / 1e9 + fleet.length * 65_536);
      }),
      { numRuns: 60 },
    );
  });
});
