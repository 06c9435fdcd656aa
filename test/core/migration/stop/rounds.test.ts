import { expect, test } from 'vitest';
import { rounds } from '../../../../src/core/migration/stop/rounds.ts';
import { afterRounds, decided } from './progress.ts';

const three = () => decided(rounds.rule({ rounds: 3 }));

test('three rounds are three rounds, however little is pending before and however much after', () => {
  expect(three()(afterRounds([100, 2], { pendingBytes: 1 }))).toBeUndefined();
  expect(three()(afterRounds([100, 90, 80]))).toEqual({ decision: 'stop', reason: '3 of 3 rounds done' });
});

test('a round has to end before it counts', () => {
  expect(three()(afterRounds([100, 90, 80], { roundEnded: false }))).toBeUndefined();
});
