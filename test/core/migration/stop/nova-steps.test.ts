import { expect, test } from 'vitest';
import { novaSteps } from '../../../../src/core/migration/stop/nova-steps.ts';
import { allows, decided, GiB, MS, progress, SECOND } from './progress.ts';

/** The example in nova's own documentation of downtime_steps: 10 steps, 30 s, 3 GiB and 400 ms. */
test('the limits are those of nova’s example: 40 ms at first, 36 ms more every 90 s, 400 ms at last', () => {
  const rule = decided(
    novaSteps.rule({
      ...novaSteps.defaults,
      limitNs: 400 * MS,
      steps: 10,
      delayPerGiBNs: 30 * SECOND,
    }),
  );
  const limitsMs = [40, 76, 112, 148, 184, 220, 256, 292, 328, 364, 400, 400];
  for (const [step, limitMs] of limitsMs.entries()) {
    for (const second of [1, 89]) {
      const at = { guestBytes: 3 * GiB, elapsedNs: (90 * step + second) * SECOND };
      expect([allows(rule, (limitMs - 1) * MS, at), allows(rule, (limitMs + 1) * MS, at)]).toEqual([
        true,
        false,
      ]);
    }
  }
});

test('by default a guest of 4 GiB gets 50 ms for the first 300 s and then 95 ms', () => {
  const rule = decided(novaSteps.rule(novaSteps.defaults));
  const at = (second: number) => ({ guestBytes: 4 * GiB, elapsedNs: second * SECOND });
  expect([allows(rule, 49 * MS, at(299)), allows(rule, 51 * MS, at(299))]).toEqual([true, false]);
  expect([allows(rule, 94 * MS, at(301)), allows(rule, 96 * MS, at(301))]).toEqual([true, false]);
});

test('past 800 s per GiB it aborts, and small guests have the time of one of 2 GiB', () => {
  const rule = decided(novaSteps.rule(novaSteps.defaults));
  const small = { guestBytes: GiB / 8 };
  expect(rule(progress({ ...small, elapsedNs: 1600 * SECOND }))).toBeUndefined();
  expect(rule(progress({ ...small, elapsedNs: 1601 * SECOND }))).toEqual({
    decision: 'give up',
    reason: 'not completed after 1600 s, stop.abortPerGiB',
  });
  expect(rule(progress({ guestBytes: 4 * GiB, elapsedNs: 3199 * SECOND }))).toBeUndefined();
});

test('a guest that fits at the very end is stopped, not given up', () => {
  const rule = decided(novaSteps.rule(novaSteps.defaults));
  expect(allows(rule, 400 * MS, { guestBytes: GiB, elapsedNs: 1601 * SECOND })).toBe(true);
});
