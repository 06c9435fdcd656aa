import { expect, test } from 'vitest';
import { fairWeight } from '../../../src/core/cpu/fair-weight.ts';

test('a step of nice is a factor of 1.25, to within what whole numbers allow', () => {
  for (let nice = -20; nice < 19; nice++) {
    const [one, next] = [fairWeight(nice), fairWeight(nice + 1)];
    expect(Math.abs(one / next - 1.25)).toBeLessThan(0.03 + 1 / next);
  }
});
