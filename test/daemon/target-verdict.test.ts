import { expect, test } from 'vitest';
import type { PlannedTarget } from '../../src/daemon/target-schemas.ts';
import { marginRatioOf, targetVerdictOf } from '../../src/daemon/target-verdict.ts';

const target = {
  clauses: [
    { metric: 'downtime', limitNs: 200, probability: 0.99 },
    { metric: 'total', limitNs: 4_000, probability: 0.9 },
  ],
} as unknown as PlannedTarget;
const completed = { outcome: 'completed', downtimeNs: 150, totalNs: 5_000 } as const;

test('a migration keeps the limits that its times do not exceed, and its target if it keeps all of them', () => {
  const verdict = targetVerdictOf(completed, target)!;
  expect(verdict.clauses).toMatchObject([
    { metric: 'downtime', measuredNs: 150, marginNs: 50, kept: true },
    { metric: 'total', measuredNs: 5_000, marginNs: -1_000, kept: false },
  ]);
  expect(verdict.kept).toBe(false);
  expect(verdict.clauses.map(marginRatioOf)).toEqual([0.25, -0.25]);
  expect(targetVerdictOf({ ...completed, downtimeNs: 200, totalNs: 4_000 }, target)!.kept).toBe(true);
});

test.each(['failed', 'aborted', 'not-converged'] as const)('one that is %s has kept nothing', (outcome) => {
  const verdict = targetVerdictOf({ outcome, downtimeNs: 0, totalNs: 0 }, target)!;
  expect(verdict.kept).toBe(false);
  for (const clause of verdict.clauses) {
    expect(clause).toMatchObject({ measuredNs: null, marginNs: null, kept: false });
    expect(marginRatioOf(clause)).toBe(null);
  }
});

test('one that nobody wanted any more, or that had no target, is held against nothing', () => {
  expect(targetVerdictOf({ ...completed, outcome: 'cancelled' }, target)).toBe(null);
  expect(targetVerdictOf(completed, null)).toBe(null);
});
