import { expect, test } from 'vitest';
import { phaul } from '../../../../src/core/migration/stop/phaul.ts';
import { afterRounds, decided } from './progress.ts';

const rule = decided(phaul.rule(phaul.defaults));

test('p.haul counts from 0, so that its maximum of 8 lets nine rounds be sent', () => {
  expect(rule(afterRounds([900, 800, 700, 600, 500, 400, 300, 200]))).toBeUndefined();
  expect(rule(afterRounds([900, 800, 700, 600, 500, 400, 300, 200, 100]))).toEqual({
    decision: 'stop',
    reason: '9 rounds done',
  });
});

test('a round of 64 pages is small enough, one of 65 is not', () => {
  expect(rule(afterRounds([900, 65]))).toBeUndefined();
  expect(rule(afterRounds([900, 64]))).toEqual({
    decision: 'stop',
    reason: 'the round sent only 64 pages',
  });
});

test('it looks at what was sent, not at what is pending', () => {
  expect(rule(afterRounds([900, 500], { pendingPages: 1 }))).toBeUndefined();
});

test('growth by a tenth is borne, growth by more is not', () => {
  expect(rule(afterRounds([900, 500, 550]))).toBeUndefined();
  expect(rule(afterRounds([900, 500, 551]))).toEqual({
    decision: 'stop',
    reason: 'rounds grow: 500, then 551 pages',
  });
});

test('it is silent within a round', () => {
  expect(rule(afterRounds([900, 64], { roundEnded: false }))).toBeUndefined();
});
