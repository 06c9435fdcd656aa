import { expect, test } from 'vitest';
import { kubevirtRamp } from '../../../../src/core/migration/stop/kubevirt-ramp.ts';
import type { StopRule } from '../../../../src/core/migration/stop/stop-rule.ts';
import { allows, decided, GiB, MS, round, run, SECOND, saturating } from './progress.ts';

const ramp = () => decided(kubevirtRamp.rule(kubevirtRamp.defaults));
const rounds = (count: number) => Array.from({ length: count }, () => round(1000));

function limitIs(rule: StopRule, limitMs: number, second: number, roundsDone: number): void {
  const at = { elapsedNs: second * SECOND, rounds: rounds(roundsDone) };
  expect([allows(rule, (limitMs - 1) * MS, at), allows(rule, (limitMs + 1) * MS, at)]).toEqual([true, false]);
}

test('the limit is 150 ms through rounds 1 and 2, however long they take', () => {
  const rule = ramp();
  limitIs(rule, 150, 1, 0);
  limitIs(rule, 150, 69, 0);
  limitIs(rule, 150, 500, 1);
});

test('from round 3 on it rises every 10 s in seven equal steps and ends at 1050 ms', () => {
  const rule = ramp();
  for (const [raise, limitMs] of [279, 407, 536, 664, 793, 921, 1050, 1050].entries()) {
    limitIs(rule, limitMs, 80 + 10 * raise, 2 + raise);
    limitIs(rule, limitMs, 89 + 10 * raise, 2 + raise);
  }
});

test('a small guest is in round 3 within the first second and waits for its first 10 s all the same', () => {
  const rule = ramp();
  limitIs(rule, 150, 9, 40);
  limitIs(rule, 279, 10, 41);
});

test('rounds that leave 800 ms behind are broken off as soon as the limit has risen above that', () => {
  const guest = {
    guestBytes: 8 * GiB,
    bandwidthBytesPerSecond: 125e6,
    dirtiedBytes: saturating(1e9, 100e6),
  };
  const end = run(ramp(), guest);
  expect(end?.verdict.reason).toContain('limit 921 ms');
  expect(end?.at.roundEnded).toBe(false);
});

test('it never gives up', () => {
  const hopeless = {
    guestBytes: GiB,
    bandwidthBytesPerSecond: 1e9,
    dirtiedBytes: () => 2e9,
    batchNs: SECOND,
  };
  expect(run(ramp(), hopeless, 300)).toBeUndefined();
});
