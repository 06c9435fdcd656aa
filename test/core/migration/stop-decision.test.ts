import { describe, expect, test } from 'vitest';
import { kubevirtStall } from '../../../src/core/migration/stop/kubevirt-stall.ts';
import type { GoOn, Verdict } from '../../../src/core/migration/stop/stop-rule.ts';
import { StopDecision, type StopTerms } from '../../../src/core/migration/stop-decision.ts';
import { afterRounds, MiB, MS, progress, SECOND } from './stop/progress.ts';

const xen = { rule: 'xen', rounds: 5, pages: 50 } as const;
const terms: StopTerms = { stop: xen, timeoutNs: null, stopRateBytesPerSecond: 100 * MiB };
const five = [9_000, 9_000, 9_000, 9_000, 9_000];
/** Five rounds of Xen are over, and so much would take so long at b_d. */
const left = (ms: number, elapsedNs = SECOND) =>
  afterRounds(five, { pendingBytes: (100 * MiB * ms) / 1e3, elapsedNs });

describe('a longest downtime', () => {
  const held = (maxDowntimeNs: number, given: Partial<StopTerms> = {}) =>
    new StopDecision({ ...terms, stop: { ...xen, maxDowntimeNs }, ...given });

  test('keeps any rule from a stop that would take longer; the rounds go on until it fits', () => {
    const decision = held(300 * MS);
    expect(decision.ask(left(301))).toEqual({
      decision: 'go on',
      pendingBelowBytes: 30 * MiB,
      atNs: Number.POSITIVE_INFINITY,
      holdsAtEnds: true,
    });
    expect(decision.ask(left(300))).toEqual({ decision: 'stop', reason: '5 of 5 rounds done' });
  });

  test('counts what the devices add: their state at b_d, and their time', () => {
    const device = { stateBytes: 10 * MiB, timeNs: 50 * MS };
    expect(held(300 * MS, { device }).ask(left(151))).toMatchObject({ pendingBelowBytes: 15 * MiB });
    expect(held(300 * MS, { device }).ask(left(150)).decision).toBe('stop');
  });

  test('holds at the time-out too: the migration gives up, and says both', () => {
    const limits = { timeoutNs: 2 * SECOND, timeoutFrom: 'migration.timeout', onTimeout: 'stop' } as const;
    const verdict = held(300 * MS, limits).ask(left(400, 2 * SECOND)) as Verdict;
    expect(verdict.decision).toBe('give up');
    expect(verdict.reason).toMatch(
      /^the timeout of 2 s \(migration.timeout\) has passed .*, but the stop would take 400 ms, longer than stop.maxDowntime allows$/,
    );
  });

  test('ends a migration that has nothing left to send live', () => {
    const waiting = { decision: 'go on', pendingBelowBytes: 0, atNs: Number.POSITIVE_INFINITY } as const;
    expect(held(300 * MS).allWaits(left(301), waiting).decision).toBe('give up');
    expect(held(300 * MS).allWaits(left(300), waiting).decision).toBe('stop');
  });

  test('is measured by the bandwidth seen where b_d is not reserved', () => {
    const unreserved = held(300 * MS, { stopRateBytesPerSecond: null });
    const seen = { ...left(400), bandwidthBytesPerSecond: 200 * MiB };
    expect(unreserved.ask(seen).decision).toBe('stop');
    expect(unreserved.ask({ ...seen, bandwidthBytesPerSecond: 100 * MiB }).decision).toBe('go on');
  });
});

describe('a stop that cannot end within stopTimeout', () => {
  const decision = new StopDecision({ ...terms, stopTimeoutNs: 300 * MS, depthBytes: 5 * MiB });

  test('is not begun: the migration gives up with the rounds that its rule made', () => {
    expect(decision.ask(left(400))).toEqual({
      decision: 'give up',
      reason:
        '5 of 5 rounds done, but the stop would take 400 ms, longer than migration.stopTimeout allows, 300 ms',
    });
  });

  test('is begun if a full bucket might save it', () => {
    expect(decision.ask(left(350)).decision).toBe('stop');
  });
});

describe('the time-out of a plan', () => {
  const timed = (given: Partial<StopTerms> = {}) =>
    new StopDecision({ ...terms, timeoutNs: 10 * SECOND, timeoutFrom: 'migration.timeout', ...given });
  const early = progress({ rounds: [], pendingBytes: 100 * MiB });

  test('is an instant at which the answer changes, within a round too', () => {
    expect(timed().ask({ ...early, elapsedNs: SECOND })).toMatchObject({ atNs: 10 * SECOND });
    expect(timed().ask({ ...early, elapsedNs: 10 * SECOND })).toEqual({
      decision: 'give up',
      reason: 'the timeout of 10 s (migration.timeout) has passed with 25600 pages pending',
    });
  });

  test('stops the guest whatever is left, if the plan says so', () => {
    const verdict = timed({ onTimeout: 'stop' }).ask({ ...early, elapsedNs: 10 * SECOND });
    expect(verdict.decision).toBe('stop');
  });
});

test('only a number of rounds can be over before the first of them', () => {
  const begun = (stop: StopTerms['stop']) =>
    new StopDecision({ ...terms, stop }).begin(progress({ roundEnded: true })).decision;
  expect(begun({ rule: 'rounds', rounds: 0 })).toBe('stop');
  expect(begun({ rule: 'rounds', rounds: 1 })).toBe('go on');
  expect(begun({ rule: 'downtime', limitNs: 1e15 })).toBe('go on');
});

describe('devices that have more than the rule stops for, while nothing is dirty', () => {
  const out = (elapsedNs: number) =>
    progress({ roundEnded: true, pendingBytes: 0, deviceBytes: 20 * MiB, elapsedNs });
  const steps = { delayPerGiBNs: 5 * SECOND, abortPerGiBNs: 100 * SECOND };
  const nova = { rule: 'nova-steps', limitNs: 300 * MS, steps: 2, ...steps } as const;
  const waits = (given: Partial<StopTerms>, elapsedNs = SECOND) => {
    const decision = new StopDecision({ ...terms, ...given });
    const answer = decision.ask(out(elapsedNs));
    return answer.decision === 'go on' ? decision.allWaits(out(elapsedNs), answer) : answer;
  };

  test('wait for the instant at which the limit rises', () => {
    expect(waits({ stop: nova })).toMatchObject({ decision: 'go on', atNs: 20 * SECOND });
    expect(waits({ stop: nova }, 20 * SECOND).decision).toBe('stop');
  });

  test('wait for a time-out that stops the guest, but not for one at which the migration gives up', () => {
    const stop = { rule: 'downtime', limitNs: 100 * MS } as const;
    expect(waits({ stop })).toMatchObject({
      decision: 'give up',
      reason: 'nothing is dirty, but the devices have 20 MiB, more than the rule stops for',
    });
    expect(waits({ stop, timeoutNs: 10 * SECOND }).decision).toBe('give up');
    const stopping = { stop, timeoutNs: 10 * SECOND, onTimeout: 'stop' } as const;
    expect(waits(stopping)).toMatchObject({ decision: 'go on', atNs: 10 * SECOND });
    expect(waits(stopping, 10 * SECOND).decision).toBe('stop');
  });

  test('give up once a limit has been raised for the last time, and is still too low', () => {
    const low = { ...nova, limitNs: 100 * MS, abortPerGiBNs: 15 * SECOND };
    expect(waits({ stop: low }, 41 * SECOND)).toMatchObject({ decision: 'go on', atNs: 60 * SECOND + 1 });
    expect(waits({ stop: low }, 61 * SECOND).decision).toBe('give up');
    const ramp = { rule: 'kubevirt-ramp', firstNs: 10 * MS, lastNs: 70 * MS, steps: 7 } as const;
    const raised = new StopDecision({ ...terms, stop: { ...ramp, afterRound: 1, everyNs: SECOND } });
    for (let second = 1; second < 7; second++) {
      const answer = raised.ask(out(second * SECOND));
      if (answer.decision !== 'go on') throw new Error(answer.reason);
      expect(raised.allWaits(out(second * SECOND), answer)).toMatchObject({ atNs: (second + 1) * SECOND });
    }
    const last = raised.ask(out(7 * SECOND));
    if (last.decision !== 'go on') throw new Error(last.reason);
    expect(raised.allWaits(out(7 * SECOND), last).decision).toBe('give up');
  });

  test('are asked about soon where the end of any round may change the answer', () => {
    const { defaults } = kubevirtStall;
    const answer = waits({ stop: { rule: 'kubevirt-stall', ...defaults, firstNs: 100 * MS } });
    expect(answer.decision).toBe('go on');
    expect((answer as GoOn).atNs).toBeLessThan(1.1 * SECOND);
  });
});
