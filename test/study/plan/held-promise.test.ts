import { expect, test } from 'vitest';
import { parseTarget } from '../../../src/scenario/target.ts';
import { heldPromise } from '../../../src/study/plan/held-promise.ts';

const target = parseTarget('downtime<=200ms@0.99, total<=30s@0.95')!;
const held = (outcome: 'completed' | 'aborted', downtimeNs: number, totalNs: number) =>
  heldPromise(target, { outcome, downtimeNs, totalNs });

test('a promise is kept if each of its parts is, up to the limit itself', () => {
  expect(held('completed', 200e6, 10e9)).toEqual({
    kept: true,
    clauses: [
      { ...target[0]!, measuredNs: 200e6, marginNs: 0, kept: true },
      { ...target[1]!, measuredNs: 10e9, marginNs: 20e9, kept: true },
    ],
  });
});

test('one part that is missed is said, by how much, beside the others', () => {
  const { kept, clauses } = held('completed', 250e6, 10e9);
  expect(kept).toBe(false);
  expect(clauses.map(({ marginNs, kept }) => [marginNs, kept])).toEqual([
    [-50e6, false],
    [20e9, true],
  ]);
});

test('a migration that does not complete keeps nothing, however short it was', () => {
  const { kept, clauses } = held('aborted', 0, 1e9);
  expect(kept).toBe(false);
  expect(clauses.map(({ measuredNs, marginNs, kept }) => [measuredNs, marginNs, kept])).toEqual([
    [null, null, false],
    [null, null, false],
  ]);
});
