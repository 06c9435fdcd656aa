import { expect, test } from 'vitest';
import { xen } from '../../../../src/core/migration/stop/xen.ts';
import { afterRounds, decided } from './progress.ts';

const rule = decided(xen.rule(xen.defaults));

test('Xen stops after its fifth round, not after its fourth', () => {
  expect(rule(afterRounds([900, 800, 700, 600]))).toBeUndefined();
  expect(rule(afterRounds([900, 800, 700, 600, 500]))).toEqual({
    decision: 'stop',
    reason: '5 of 5 rounds done',
  });
});

test('fewer than 50 dirty pages are sent live once more before the stop', () => {
  expect(rule(afterRounds([900, 50], { pendingPages: 49 }))).toBeUndefined();
  expect(rule(afterRounds([900, 50, 49], { pendingPages: 60 }))).toEqual({
    decision: 'stop',
    reason: 'fewer than 50 pages were dirty',
  });
});

test('with no page dirty there is no round left to send', () => {
  expect(rule(afterRounds([900], { pendingPages: 0 }))?.decision).toBe('stop');
});

test('it is silent within a round', () => {
  expect(rule(afterRounds([9, 9, 9, 9, 9], { roundEnded: false, pendingPages: 0 }))).toBeUndefined();
});
