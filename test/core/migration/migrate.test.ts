import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { notEncrypted } from '../../../src/core/link/encryption.ts';
import {
  type Measurements,
  type MigrationResult,
  type Owner,
  partsOf,
} from '../../../src/core/migration/migration-result.ts';
import { type OrderName, orderNames, orders } from '../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../src/core/migration/pages.ts';
import type { Plan } from '../../../src/core/migration/plan.ts';
import type { HandoverReached, Step, StepResult } from '../../../src/core/migration/steps.ts';
import { driveSync } from '../../../src/run/drive.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const PAGES = 8;
const MS = 1_000_000;
const ALL = [0, 1, 2, 3, 4, 5, 6, 7];
const PAGE_BYTES = 4_112;

const plan: Plan = smallSetup({
  guest: { pages: PAGES },
  plan: {
    stop: { rule: 'rounds', rounds: 1 },
    rateBytesPerSecond: 1_000_000,
    stopRateBytesPerSecond: 2_000_000,
    observeNs: 0,
    windowNs: 40 * MS,
    halfLifeNs: 8_000 * MS,
    verify: 'checksums',
    seed: 1,
  },
}).plan;

const measurements: Measurements = {
  outage: { longestGapNs: 17, lostHeartbeats: 1, repeatedHeartbeats: 0, heartbeats: 90, lateHeartbeats: 2 },
  verified: { memory: 'identical', continued: 'not-checked' },
  servers: [],
  notes: [],
  link: {
    reservedBytesPerSecond: 1_000_000,
    depthBytes: 65_536,
    sentBytes: 99,
    worstExcessBytes: -3,
    windows: [],
    utilisation: 1,
    longestLatenessNs: 4,
    lateNs: 0,
    roundTripNs: 200_000,
    encryption: notEncrypted,
  },
};

/** What a guest writes while each step is carried out; each step takes a millisecond more than the one before. */
interface Script {
  /** How much longer than that each step takes. */
  readonly stepNs?: number;
  /** In the n-th sampling window. */
  readonly observed?: readonly (readonly number[])[];
  /** Before the n-th harvest. */
  readonly written?: readonly (readonly number[])[];
  /** Before the n-th step of all. */
  readonly before?: Readonly<Record<number, readonly number[]>>;
  /** Between the last harvest and the stop. */
  readonly late?: readonly number[];
  readonly rates?: readonly number[];
  /** Answers that replace the usual one of the n-th step. */
  readonly instead?: Readonly<Record<number, (now: number, step: Step) => StepResult>>;
}

interface Played {
  readonly steps: readonly Step[];
  readonly seen: readonly StepResult[];
  readonly result: MigrationResult;
}

/** A world in a few lines: what is cleared is clean, what the script says is written is dirty. */
function play(given: Partial<Plan>, script: Script = {}): Played {
  const steps: Step[] = [];
  const seen: StepResult[] = [];
  const dirty = new PageSet(PAGES);
  let [now, windows, harvests] = [0, 0, 0];
  const write = (pages: readonly number[] = []) => {
    for (const page of pages) dirty.add(page);
  };
  const dirtyNow = (): StepResult => ({ kind: 'dirty', now, dirty: dirty.copy(), windowNs: 0 });
  const usual = (step: Step): StepResult => {
    switch (step.kind) {
      case 'observe': {
        const written = PageSet.of(PAGES, script.observed?.[windows++] ?? []);
        return { kind: 'dirty', now, dirty: written, windowNs: step.windowNs };
      }
      case 'learn': {
        const writesPerSecond = Float64Array.from(script.rates ?? Array(PAGES).fill(0));
        return { kind: 'learned', now, rates: { writesPerSecond } };
      }
      case 'track':
        write(ALL);
        return dirtyNow();
      case 'send': {
        // A step that ends soon comes to its end after two pages.
        const { untilNs = Number.POSITIVE_INFINITY } = step;
        const isCut = untilNs < now + 1_000 * MS && step.pages.length > 2;
        const pages = isCut ? step.pages.subarray(0, 2) : step.pages;
        if (isCut) now = Math.max(now, untilNs);
        if (step.clears) dirty.deleteAll(PageSet.of(PAGES, pages));
        return {
          kind: 'sent',
          now,
          sentPages: pages.length,
          zeroPages: Math.min(1, pages.length),
          bytes: pages.length * PAGE_BYTES,
        };
      }
      case 'wait':
        now += step.forNs;
        return { kind: 'done', now };
      case 'device':
        return { kind: 'done', now };
      case 'clear':
        dirty.deleteAll(step.pages);
        return { kind: 'done', now };
      case 'harvest': {
        write(script.written?.[harvests++]);
        const answer = dirtyNow();
        if (step.take) dirty.clear();
        return answer;
      }
      case 'stop':
        write(script.late);
        return dirtyNow();
      case 'hand over':
        return {
          kind: 'handed over',
          now,
          readyAtNs: now + 1,
          verifiedAtNs: now + 11,
          committedAtNs: now + 111,
          runningAtNs: now + 1_111,
          measurements,
        };
      case 'abort':
        return { kind: 'aborted', now, owner: 'source', measurements };
    }
  };
  const carryOut = (step: Step): StepResult => {
    now += steps.length * MS + (script.stepNs ?? 0);
    write(script.before?.[steps.length]);
    const answer = script.instead?.[steps.length]?.(now, step) ?? usual(step);
    steps.push(step);
    seen.push(answer);
    return answer;
  };
  return { steps, seen, result: driveSync({ ...plan, ...given }, { carryOut }) };
}

const kinds = ({ steps }: Played) => steps.map(({ kind }) => kind);
const sends = ({ steps }: Played) =>
  steps.flatMap((step) => (step.kind === 'send' ? [{ ...step, pages: [...step.pages] }] : []));

/** What was sent while the guest ran, or while it was paused. */
function pagesSent({ steps }: Played, when: 'live' | 'stopped'): number[] {
  const stop = steps.findIndex(({ kind }) => kind === 'stop');
  const part = when === 'live' ? steps.slice(0, stop) : steps.slice(stop);
  return part.flatMap((step) => (step.kind === 'send' ? [...step.pages] : []));
}

describe('the steps of a migration', () => {
  test('is: track, a round, a harvest, stop, the rest, hand over', () => {
    const played = play({}, { written: [[2, 5]] });
    expect(kinds(played)).toEqual(['track', 'send', 'harvest', 'stop', 'send', 'hand over']);
    expect(sends(played)).toEqual([
      { kind: 'send', pages: ALL, rateBytesPerSecond: 1_000_000, clears: true, endsRound: true },
      { kind: 'send', pages: [2, 5], rateBytesPerSecond: 2_000_000, clears: true, endsRound: true },
    ]);
    expect(played.steps.at(-1)).toEqual({ kind: 'hand over', verify: 'checksums' });
  });

  test.each([1, 2, 3, 10])('is %i rounds and then the stop, when the plan says so', (rounds) => {
    const written = Array.from({ length: rounds }, (_, round) => [round % PAGES, 7]);
    const played = play({ stop: { rule: 'rounds', rounds } }, { written });
    expect(kinds(played)).toEqual([
      'track',
      ...Array.from({ length: rounds }, () => ['send', 'harvest']).flat(),
      'stop',
      'send',
      'hand over',
    ]);
    expect(played.result.rounds.map(({ round }) => round)).toEqual(written.map((_, index) => index + 1));
    expect(played.result.reason).toBe(`${rounds} of ${rounds} rounds done`);
  });

  test('sends in each round what was dirty at the end of the one before, and at the stop what is dirty then', () => {
    const played = play(
      { stop: { rule: 'rounds', rounds: 3 } },
      { written: [[1, 3, 6], [3], [0, 6]], late: [7] },
    );
    expect(sends(played).map(({ pages }) => pages)).toEqual([ALL, [1, 3, 6], [3], [0, 6, 7]]);
    expect(played.result.rounds.map(({ dirtyPages }) => dirtyPages)).toEqual([8, 3, 1]);
  });

  test('goes its rounds even when nothing is dirty any more, and stops with nothing to send', () => {
    const played = play({ stop: { rule: 'rounds', rounds: 2 } });
    expect(sends(played).flatMap(({ pages }) => pages)).toEqual(ALL);
    expect(played.result.rounds.map(({ dirtyPages, sentPages }) => [dirtyPages, sentPages])).toEqual([
      [8, 8],
      [0, 0],
    ]);
    expect(played.result.outcome).toBe('completed');
    expect(played.result.stop.pages).toBe(0);
  });

  test('passes on what the plan says of rates and verification, no reservation included', () => {
    const played = play({ rateBytesPerSecond: null, stopRateBytesPerSecond: null, verify: 'full' });
    expect(sends(played).map(({ rateBytesPerSecond }) => rateBytesPerSecond)).toEqual([null, null]);
    expect(played.steps.at(-1)).toEqual({ kind: 'hand over', verify: 'full' });
  });

  test('depends on nothing but the plan and the answers', () => {
    const script = { observed: [[1], [2, 3]], written: [[0, 1, 5], [4]], rates: [1, 2, 3, 4, 5, 6, 7, 8] };
    const cases = fc.record({
      order: fc.constantFrom(...orderNames),
      heat: fc.constantFrom('estimated' as const, 'known' as const),
      defer: fc.constantFrom(null, { threshold: 0.2 }),
      observeNs: fc.constantFrom(0, 80 * MS),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, (given) => {
        const stop = { rule: 'rounds', rounds: 2 } as const;
        expect(play({ ...given, stop }, script)).toEqual(play({ ...given, stop }, script));
      }),
    );
  });

  test('breaks ties by the plan’s seed, in each round anew', () => {
    const rounds = { order: 'random', stop: { rule: 'rounds', rounds: 2 } } as const;
    const [one, two] = [1, 2].map((seed) => sends(play({ ...rounds, seed }, { written: [ALL] })));
    expect(one![0]!.pages.toSorted()).toEqual(ALL);
    expect(one![0]!.pages).not.toEqual(two![0]!.pages);
    expect(one![0]!.pages).not.toEqual(one![1]!.pages);
  });
});

describe('what it learns of the guest before it starts', () => {
  const needsHistory = (order: OrderName) => orders[order].heat !== 'none';

  test.each(
    orderNames,
  )('order %s: it watches when the order or a deferral needs it, and only then', (order) => {
    const observeNs = 100 * MS;
    const watched = (given: Partial<Plan>) =>
      kinds(play({ order, observeNs, ...given })).filter((kind) => kind === 'observe').length;
    // 40 ms, 80 ms, 120 ms: until at least 100 ms have been seen.
    expect(watched({})).toBe(needsHistory(order) ? 3 : 0);
    expect(watched({ defer: { threshold: 0.5 } })).toBe(3);
    expect(watched({ observeNs: 0 })).toBe(0);
  });

  test.each(orderNames)('order %s: it asks instead of watching when the program is known', (order) => {
    const before = (given: Partial<Plan>) => {
      const all = kinds(play({ order, heat: 'known', observeNs: 100 * MS, ...given }));
      return all.slice(0, all.indexOf('track'));
    };
    expect(before({})).toEqual(needsHistory(order) ? ['learn'] : []);
    expect(before({ defer: { threshold: 0.5 } })).toEqual(['learn']);
  });

  test('it watches in the plan’s windows, and counts the windows that it was given', () => {
    const shorter = (now: number): StepResult => ({
      kind: 'dirty',
      now,
      dirty: new PageSet(PAGES),
      windowNs: 10 * MS,
    });
    const played = play({ order: 'lru', observeNs: 80 * MS }, { instead: { 0: shorter, 1: shorter } });
    const windows = played.steps.flatMap((step) => (step.kind === 'observe' ? [step.windowNs] : []));
    // 10 + 10 + 40 + 40 ms.
    expect(windows).toEqual(Array(4).fill(40 * MS));
  });

  test('lru goes by the last window that saw a page, frequency by how many did', () => {
    const observed = [[1, 2], [1, 2], [2], [3]];
    const hottest = (order: OrderName) =>
      sends(play({ order, observeNs: 160 * MS }, { observed }))[0]!.pages.slice(5);
    expect(hottest('lru')).toEqual([1, 2, 3]);
    expect(hottest('frequency')).toEqual([3, 1, 2]);
  });

  test('known rates order the pages, and decide which wait', () => {
    const rates = [5, 80, 0, 1, 2, 60, 3, 4];
    const played = play({ order: 'increasing', heat: 'known', defer: { threshold: 0.9 } }, { rates });
    // 1 − exp(−60 · 0.04) = 0.909, and 1 − exp(−5 · 0.04) = 0.18.
    expect(sends(played)[0]!.pages).toEqual([2, 3, 4, 6, 7, 0]);
    expect(sends(played)[1]!.pages).toEqual([1, 5]);
  });
});

describe('deferred pages', () => {
  const observed = [[6, 7], [6, 7], [7], [7, 1]];

  test('wait for the stop: no live round sends them, the stop sends all of them that are dirty', () => {
    const played = play(
      { defer: { threshold: 0.4 }, observeNs: 160 * MS, stop: { rule: 'rounds', rounds: 3 } },
      {
        observed,
        written: [
          [0, 6, 7],
          [2, 6],
          [6, 3],
        ],
      },
    );
    expect(sends(played).map(({ pages }) => pages)).toEqual([[0, 1, 2, 3, 4, 5], [0], [2], [3, 6, 7]]);
    expect(played.result.rounds.map(({ deferredPages }) => deferredPages)).toEqual([2, 2, 2]);
    expect(played.result.rounds.map(({ dirtyPages }) => dirtyPages)).toEqual([8, 3, 3]);
  });

  test('are those written with at least the threshold’s probability in a window, whatever the order', () => {
    fc.assert(
      fc.property(fc.constantFrom(...orderNames), fc.constantFrom(0, 0.3, 0.6, 1), (order, threshold) => {
        const played = play(
          { order, defer: { threshold }, observeNs: 160 * MS, halfLifeNs: 1e18 },
          { observed },
        );
        const share = ALL.map((page) => observed.filter((window) => window.includes(page)).length / 4);
        const live = ALL.filter((page) => share[page]! < threshold);
        expect(pagesSent(played, 'live').toSorted()).toEqual(live);
        expect(pagesSent(played, 'stopped')).toEqual(ALL.filter((page) => !live.includes(page)));
      }),
    );
  });

  test('are the hottest so many, when the plan counts them', () => {
    const played = play({ defer: { count: 2 }, observeNs: 160 * MS }, { observed });
    expect(pagesSent(played, 'live')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(pagesSent(played, 'stopped')).toEqual([6, 7]);
    const all = play({ defer: { count: PAGES + 5 }, observeNs: 160 * MS }, { observed });
    expect(pagesSent(all, 'live')).toEqual([]);
    const none = play({ defer: { count: 0 }, observeNs: 160 * MS }, { observed });
    expect(pagesSent(none, 'stopped')).toEqual([]);
  });
});

describe('the record', () => {
  test('says of each round what was dirty, sent and held back, how many bytes it took and how long', () => {
    const { result, seen } = play({ stop: { rule: 'rounds', rounds: 2 } }, { written: [[1, 2, 3], [4]] });
    const at = (index: number) => seen[index]!.now;
    expect(result.rounds).toEqual([
      {
        round: 1,
        dirtyPages: 8,
        sentPages: 8,
        deferredPages: 0,
        skippedPages: 0,
        zeroPages: 1,
        bytes: 8 * 4_112,
        durationNs: at(2) - at(0),
      },
      {
        round: 2,
        dirtyPages: 3,
        sentPages: 3,
        deferredPages: 0,
        skippedPages: 0,
        zeroPages: 1,
        bytes: 3 * 4_112,
        durationNs: at(4) - at(2),
      },
    ]);
    expect(result.stop).toEqual({ pages: 1, bytes: 4_112, durationNs: at(6) - at(5) });
  });

  test('counts the total from the start of tracking, the downtime from the stop, both until the guest runs', () => {
    const { result, seen, steps } = play({ order: 'lru', observeNs: 80 * MS }, { written: [[1]] });
    const at = (kind: Step['kind']) => seen[steps.findIndex((step) => step.kind === kind)]!.now;
    const running = at('hand over') + 1_111;
    expect(result.totalNs).toBe(running - at('track'));
    expect(result.downtimeNs).toBe(running - at('stop'));
    expect(result.outcome).toBe('completed');
    expect(result.owner).toBe('destination');
    expect(result).toMatchObject(measurements);
  });

  test('cuts the downtime into parts that add up to it', () => {
    const instants = fc.array(fc.nat({ max: 1e9 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(instants, (gaps) => {
        const [memoryNs, stateNs, verifyNs, commitNs, resumeNs] = gaps as [
          number,
          number,
          number,
          number,
          number,
        ];
        let stoppedAt = 0;
        const { result } = play(
          {},
          {
            instead: {
              3: (now) => {
                stoppedAt = now;
                return { kind: 'dirty', now, dirty: PageSet.of(PAGES, [1]), windowNs: 0 };
              },
              4: () => ({
                kind: 'sent',
                now: stoppedAt + memoryNs,
                sentPages: 1,
                zeroPages: 0,
                bytes: 4_112,
              }),
              5: () => {
                const readyAtNs = stoppedAt + memoryNs + stateNs;
                const verifiedAtNs = readyAtNs + verifyNs;
                const committedAtNs = verifiedAtNs + commitNs;
                const runningAtNs = committedAtNs + resumeNs;
                const now = runningAtNs + 5;
                return {
                  kind: 'handed over',
                  now,
                  readyAtNs,
                  verifiedAtNs,
                  committedAtNs,
                  runningAtNs,
                  measurements,
                };
              },
            },
          },
        );
        expect(result.downtimeParts).toEqual({
          ...{ dirtyScanNs: 0, lookNs: 0, memoryNs, deviceNs: 0, stateNs, verifyNs, commitNs, resumeNs },
        });
        expect(result.downtimeNs).toBe(gaps.reduce((sum, gap) => sum + gap, 0));
      }),
    );
  });
});

describe('a step that the world could not carry out', () => {
  const failed = (now: number): StepResult => ({ kind: 'failed', now, why: 'the link is down' });
  const aborted = (owner: 'source' | 'destination' | 'nobody') => (now: number) =>
    ({ kind: 'aborted', now, owner, measurements }) as const;

  // observe, observe, track, send, harvest, stop, send, hand over.
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('number %i is followed by abort and nothing else', (step) => {
    const { steps, result } = play(
      { order: 'lru', observeNs: 80 * MS },
      { instead: { [step]: failed, [step + 1]: aborted('source') } },
    );
    expect(steps.length).toBe(step + 2);
    expect(steps.at(-1)).toEqual({ kind: 'abort', why: 'the link is down' });
    expect(result.outcome).toBe('failed');
    expect(result.reason).toBe('the link is down');
    expect(result).toMatchObject(measurements);
  });

  test.each([
    'source',
    'destination',
    'nobody',
  ] as const)('makes the guest whose the world says: %s', (owner) => {
    const { result } = play({}, { instead: { 5: failed, 6: aborted(owner) } });
    expect(result.owner).toBe(owner);
  });

  test.each(['cancelled', 'aborted'] as const)('because it was told not to is %s, not failed', (outcome) => {
    const told = (now: number): StepResult => ({ ...failed(now), outcome }) as StepResult;
    const { result } = play({}, { instead: { 3: told, 4: aborted('source') } });
    expect(result).toMatchObject({ outcome, reason: 'the link is down', owner: 'source' });
  });

  test('leaves in the record what had happened until then', () => {
    const { result, seen } = play({}, { written: [[1, 2]], instead: { 5: failed, 6: aborted('source') } });
    expect(result.rounds.length).toBe(1);
    expect(result.stop.pages).toBe(2);
    expect(result.downtimeNs).toBe(seen[6]!.now - seen[3]!.now);
    expect(result.totalNs).toBe(seen[6]!.now - seen[0]!.now);
  });

  test('costs no downtime if the guest had not been stopped, and no time at all before the start', () => {
    const early = play({ order: 'lru', observeNs: 80 * MS }, { instead: { 0: failed } }).result;
    expect([early.downtimeNs, early.totalNs]).toEqual([0, 0]);
    const live = play({}, { instead: { 1: failed } });
    expect(live.result.downtimeNs).toBe(0);
    expect(live.result.totalNs).toBe(live.seen[2]!.now - live.seen[0]!.now);
  });

  test('counts from when the guest was paused, though the stop did not come to its end', () => {
    const halfway = (now: number): StepResult =>
      ({ ...failed(now), pausedSince: now - 3 * MS }) as StepResult;
    const { result, seen } = play({}, { instead: { 3: halfway } });
    expect(result.downtimeNs).toBe(seen[4]!.now - seen[3]!.now + 3 * MS);
  });

  test('counts the wait as the part in which it failed, not as memory', () => {
    const handover = (reached: HandoverReached) => (now: number) => ({ ...failed(now), handover: reached });
    const [stopped, sent] = [3, 4].map((step) => play({}).seen[step]!.now) as [number, number];
    const memoryNs = sent - stopped;
    const parts = (reached: HandoverReached, owner: Owner) =>
      play({}, { instead: { 5: handover(reached), 6: aborted(owner) } }).result;
    const never = parts({}, 'source');
    expect(never.downtimeParts).toMatchObject({ memoryNs, stateNs: never.downtimeNs - memoryNs });
    const refused = parts(
      { readyAtNs: sent + 5, verifiedAtNs: sent + 7, commitLeftAtNs: sent + 8 },
      'source',
    );
    expect(refused.downtimeParts).toMatchObject({ memoryNs, stateNs: 5, verifyNs: 2 });
    expect(refused.downtimeParts.commitNs).toBe(refused.downtimeNs - memoryNs - 7);
  });

  test('is known to be downtime up to the commit, if nobody knows whether the guest runs since then', () => {
    const at = play({}).seen[4]!.now;
    const handover = { readyAtNs: at + 5, verifiedAtNs: at + 5, commitLeftAtNs: at + 8 };
    const instead = {
      5: (now: number) => ({ ...failed(now), handover }) as StepResult,
      6: aborted('nobody'),
    };
    const { result, seen } = play({}, { instead });
    expect(result.downtimeNs).toBe(at + 8 - seen[3]!.now);
    expect(result.notes).toContainEqual(expect.stringContaining('known up to the commit only'));
  });

  test('after the guest had come to run at its destination is no downtime any more', () => {
    const at = play({}).seen[4]!.now;
    const handover = { readyAtNs: at, verifiedAtNs: at, committedAtNs: at + 3, runningAtNs: at + 9 };
    const instead = {
      5: (now: number) => ({ ...failed(now), handover }) as StepResult,
      6: aborted('destination'),
    };
    const { result, seen } = play({}, { instead });
    expect(result.downtimeNs).toBe(at + 9 - seen[3]!.now);
    expect(result.downtimeParts).toMatchObject({ commitNs: 3, resumeNs: 6 });
  });

  test('still leaves parts that add up to the downtime', () => {
    for (const step of [1, 3, 4, 5]) {
      const { result } = play({}, { instead: { [step]: failed } });
      const sum = Object.values(partsOf(result.downtimeParts)).reduce((total, part) => total + part, 0);
      expect(sum).toBe(result.downtimeNs);
    }
  });
});

describe('a guest that was changed on its way', () => {
  test('has not been migrated: the migration has failed, though the guest runs at its destination', () => {
    const handed = (now: number): StepResult => ({
      ...{
        kind: 'handed over',
        now,
        readyAtNs: now,
        verifiedAtNs: now,
        committedAtNs: now,
        runningAtNs: now,
      },
      measurements: { ...measurements, verified: { memory: 'not-checked', continued: 'different' } },
    });
    const { result } = play({}, { instead: { 5: handed } });
    expect(result).toMatchObject({ outcome: 'failed', owner: 'destination' });
    expect(result.reason).toContain('differs from that of one that never moved');
  });
});

describe('an answer to another question', () => {
  test.each([0, 1, 2, 3, 4, 5])('at step %i is a fault of the world, which is named with both', (step) => {
    const wrong = (now: number): StepResult => ({ kind: 'aborted', now, owner: 'source', measurements });
    const asked = kinds(play({}))[step]!;
    expect(() => play({}, { instead: { [step]: wrong } })).toThrow(
      `step = ${asked}, answer = aborted, expected = `,
    );
  });

  test('is what a world gives that cannot even give up', () => {
    const failed = (now: number): StepResult => ({ kind: 'failed', now, why: 'the link is down' });
    expect(() => play({}, { instead: { 1: failed, 2: failed } })).toThrow('step = abort, answer = failed');
  });
});

describe('when dirty bits are cleared', () => {
  test('page by page, as each is sent: a write before a page’s own turn does no harm, one after it does', () => {
    const early = play({}, { before: { 1: [5] } });
    expect(pagesSent(early, 'stopped')).toEqual([]);
    const late = play({}, { before: { 2: [5] } });
    expect(pagesSent(late, 'stopped')).toEqual([5]);
  });

  test('all at once, when the round starts: every write in the round costs', () => {
    const played = play(
      { clear: 'round', stop: { rule: 'rounds', rounds: 2 } },
      { before: { 2: [5], 5: [6] } },
    );
    expect(kinds(played)).toEqual([
      'track',
      'harvest',
      'send',
      'harvest',
      'send',
      'harvest',
      'stop',
      'send',
      'hand over',
    ]);
    expect(sends(played).map(({ pages, clears }) => [pages, clears])).toEqual([
      [ALL, false],
      [[5], false],
      [[6], true],
    ]);
    const takes = played.steps.flatMap((step) => (step.kind === 'harvest' ? [step.take] : []));
    expect(takes).toEqual([true, true, true]);
  });

  test('chunk by chunk, before the first page of each is sent, and only of pages that the round sends', () => {
    const played = play(
      { clear: { chunkPages: 4 }, stop: { rule: 'rounds', rounds: 2 } },
      { before: { 3: [0, 7], 5: [1], 8: [3] } },
    );
    const cleared = played.steps.flatMap((step) =>
      step.kind === 'clear' ? [[...step.pages.toArray()]] : [],
    );
    // Page 7 was written before its chunk was cleared, 0 and 1 after theirs.
    expect(cleared).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [0, 1],
    ]);
    expect(sends(played).map(({ pages }) => pages)).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [0, 1], [3]]);
    expect(played.result.rounds.map(({ sentPages }) => sentPages)).toEqual([8, 2]);
  });
});

describe('a page that is dirty again before its turn', () => {
  test('is left for later when the plan says so, and counted', () => {
    const played = play(
      { clear: 'round', skip: true, stop: { rule: 'rounds', rounds: 2 } },
      { before: { 2: [1, 4], 5: [4] } },
    );
    expect(sends(played).map(({ pages }) => pages)).toEqual([[0, 2, 3, 5, 6, 7], [1], [4]]);
    expect(played.result.rounds.map(({ sentPages, skippedPages }) => [sentPages, skippedPages])).toEqual([
      [6, 2],
      [1, 1],
    ]);
  });
});

describe('a stop rule that looks within rounds', () => {
  const downtime = { rule: 'downtime', limitNs: 30 * MS } as const;

  test('is asked when a bandwidth has been measured, and may cut a round short', () => {
    const played = play({ stop: { ...downtime, limitNs: 1_000_000 * MS } });
    const [live, stopped] = sends(played);
    expect(live).toMatchObject({ pages: ALL, untilNs: 100 * MS });
    expect(played.result.rounds).toMatchObject([{ dirtyPages: 8, sentPages: 2 }]);
    expect(stopped!.pages).toEqual(ALL.slice(2));
    expect(played.result.reason).toMatch(/ left, limit 1000 s$/);
  });

  test('is asked again when half of what is too much has been sent', () => {
    // 2 pages in 100 ms are measured, so that the six that are left take 300 ms.
    const played = play({ stop: { ...downtime, limitNs: 110 * MS }, rateBytesPerSecond: 82_240 });
    const asked = sends(played).map(({ pages, untilNs }) => [pages, untilNs && untilNs / MS]);
    expect(asked.slice(0, 2)).toEqual([
      [ALL, 100],
      [[2], undefined],
    ]);
    expect(played.result.outcome).toBe('completed');
  });

  test('is told what deferred pages will cost at the stop', () => {
    const defer = { count: 8 };
    const played = play({ stop: downtime, defer, heat: 'known' });
    expect(kinds(played)).toEqual(['learn', 'track', 'harvest', 'stop', 'send', 'hand over']);
    expect(played.result.reason).toBe('all that is dirty waits for the stop');
  });
});

describe('a migration that does not converge', () => {
  const hopeless = { written: Array.from({ length: 1_000 }, () => ALL) };

  test('leaves the guest running at the source when its stop rule gives up', () => {
    const stop = { rule: 'cloud-hypervisor', limitNs: 1, timeoutNs: 1, onTimeout: 'cancel' } as const;
    const played = play({ stop }, hopeless);
    expect(kinds(played)).not.toContain('stop');
    expect(played.steps.at(-1)).toEqual({ kind: 'abort', why: played.result.reason });
    expect(played.result).toMatchObject({ outcome: 'not-converged', owner: 'source', downtimeNs: 0 });
    expect(played.result.rounds.length).toBeGreaterThan(0);
  });

  test('gives up by itself after its timeout, when its stop rule would go on for ever', () => {
    const timeoutNs = 500 * MS;
    const played = play({ stop: { rule: 'downtime', limitNs: 1 }, timeoutNs }, hopeless);
    expect(played.result).toMatchObject({ outcome: 'not-converged', owner: 'source' });
    expect(played.result.reason).toMatch(/timeout/);
    expect(played.result.totalNs).toBeGreaterThanOrEqual(timeoutNs);
    expect(kinds(played)).not.toContain('stop');
  });

  test('has all the time it takes when its timeout has not passed', () => {
    const timeoutNs = 1e15;
    const played = play(
      { stop: { rule: 'downtime', limitNs: 1 }, timeoutNs },
      { written: [ALL, ALL, [3], []] },
    );
    expect(played.result.outcome).toBe('completed');
  });
});

describe('no write is ever lost', () => {
  test('whatever is cleared when, skipped, held back or cut short, a page is sent after its last write', () => {
    const writes = fc.dictionary(
      fc.integer({ min: 0, max: 30 }).map(String),
      fc.uniqueArray(fc.nat({ max: PAGES - 1 }), { minLength: 1 }),
      { maxKeys: 12 },
    );
    const stops = fc.constantFrom<Plan['stop']>(
      { rule: 'rounds', rounds: 1 },
      { rule: 'rounds', rounds: 4 },
      { rule: 'downtime', limitNs: 1 },
      { rule: 'downtime', limitNs: 10 * MS },
      { rule: 'downtime', limitNs: 1e15 },
      { rule: 'xen', rounds: 5, pages: 3 },
      { rule: 'phaul', rounds: 8, pages: 2, growth: 0.1 },
    );
    const clears = fc.constantFrom<[Plan['clear'], boolean]>(
      ['page', false],
      ['round', false],
      ['round', true],
      [{ chunkPages: 1 }, false],
      [{ chunkPages: 3 }, false],
      [{ chunkPages: 3 }, true],
      [{ chunkPages: 100 }, true],
    );
    const runs = fc.record({
      order: fc.constantFrom(...orderNames),
      defer: fc.constantFrom(null, { threshold: 0.4 }, { count: 3 }),
      rateBytesPerSecond: fc.constantFrom(null, 1_000_000),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(runs, stops, clears, writes, (given, stop, [clear, skip], before) => {
        const rates = [50, 0, 1, 20, 3, 7, 90, 0];
        const played = play({ ...given, heat: 'known', stop, clear, skip }, { before, rates });
        const stopped = played.steps.findIndex(({ kind }) => kind === 'stop');
        expect(played.result.outcome).toBe('completed');
        for (const page of ALL) {
          const lastSent = played.steps.findLastIndex(
            (step) => step.kind === 'send' && step.pages.includes(page),
          );
          const written = Object.keys(before).map(Number);
          const last = Math.max(
            -1,
            ...written.filter((step) => step <= stopped && before[step]!.includes(page)),
          );
          expect(lastSent, `page ${page}`).toBeGreaterThanOrEqual(Math.max(0, last));
        }
      }),
      { numRuns: 400 },
    );
  });
});
