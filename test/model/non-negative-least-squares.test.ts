import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nonNegativeLeastSquares } from '../../src/model/non-negative-least-squares.ts';

test('what would be best below zero is zero, and the rest is best without it', () => {
  // Without the constraint: 2 and −1.
  const solution = nonNegativeLeastSquares(
    [
      [1, 0],
      [1, 1],
    ],
    [1, -1],
  );
  expect(solution[0]).toBeCloseTo(1);
  expect(solution[1]).toBe(0);
});

test('the conditions of Karush, Kuhn and Tucker hold, whatever the numbers', () => {
  const value = fc.double({ min: 0, max: 10, noNaN: true });
  const column = fc.array(value, { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 4 }), column, (columns, right) => {
      const solution = nonNegativeLeastSquares(columns, right);
      const residual = right.map(
        (b, row) => b - columns.reduce((sum, one, index) => sum + one[row]! * solution[index]!, 0),
      );
      for (const [index, one] of columns.entries()) {
        const gradient = one.reduce((sum, a, row) => sum + a * residual[row]!, 0);
        expect(solution[index]!).toBeGreaterThanOrEqual(0);
        // Nothing would be gained by more of it, nor by less of what there is.
        expect(gradient).toBeLessThan(1e-3);
        if (solution[index]! > 1e-6) expect(Math.abs(gradient)).toBeLessThan(1e-3);
      }
    }),
  );
});
