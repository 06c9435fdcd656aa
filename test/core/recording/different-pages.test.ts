import { describe, expect, test } from 'vitest';
import { differentPages } from '../../../src/core/recording/different-pages.ts';

const sample = (atNs: number, ...changed: number[]) => ({ atNs, changed: Uint32Array.from(changed) });

describe('different pages within an exposure', () => {
  const samples = [sample(10, 0), sample(20, 0, 1), sample(30, 1, 2), sample(40, 0)];

  test('count once in each window, and are a mean over all of them', () => {
    // From 10 to 30: 0, 1, 2. From 20 to 40: 0, 1, 2.
    expect(differentPages(samples, 3, 20, 1)).toBe(3);
    // {0, 1}, {1, 2}, {0}
    expect(differentPages(samples, 3, 10, 1)).toBeCloseTo(5 / 3);
  });

  test('are not known of a window that is longer than the recording', () => {
    expect(differentPages(samples, 3, 31, 0)).toBeUndefined();
    expect(differentPages([], 3, 1, 0)).toBeUndefined();
  });
});
