import { expect, test } from 'vitest';
import type { MigrationRecord } from '../../../src/core/migration/record.ts';
import { notCompleted, oneOfAKind } from '../../../src/study/tables/notes.ts';

test('notes that differ in their numbers alone are one, and say so', () => {
  expect(
    oneOfAKind(['late by 1.5 ms', 'late by 12 ms', 'kept by the dispatcher', 'kept by the dispatcher']),
  ).toEqual(['late by 12 ms (in one run; similar in 1 others)', 'kept by the dispatcher']);
});

test('runs that were not completed are told once a reason, however many they are', () => {
  const run = (seed: number, outcome: string, reason: string) =>
    ({ seed, outcome, reason, owner: 'source' }) as MigrationRecord;
  const records = [
    run(1, 'completed', 'rounds'),
    ...Array.from({ length: 40 }, (_, index) =>
      run(index + 2, 'not-converged', `timeout after ${index}.5 s`),
    ),
    run(90, 'failed', 'connection closed'),
  ];
  expect(notCompleted(records)).toEqual([
    'seeds 2, 3, 4, 5, 6, … (40 runs): not-converged: timeout after 0.5 s (owner: source)',
    'seed 90: failed: connection closed (owner: source)',
  ]);
});
