import { describe, expect, test } from 'vitest';
import { WorkingSet } from '../../../src/core/recording/working-set.ts';

describe('the working set of writes', () => {
  test('is the different pages of the window, those on its edge no longer', () => {
    const set = new WorkingSet(100);
    set.see(10, Uint32Array.of(1, 2));
    set.see(50, Uint32Array.of(2, 3));
    expect(set.pages).toBe(3);
    set.see(110, Uint32Array.of(3));
    expect(set.pages).toBe(2);
    set.see(1_000, Uint32Array.of());
    expect(set.pages).toBe(0);
  });

  test('comes with the writes a second, over what was seen of the window', () => {
    const set = new WorkingSet(1e9);
    expect(set.writesPerSecond(0)).toBe(0);
    set.see(0.25e9, Uint32Array.of(1, 2));
    set.see(0.5e9, Uint32Array.of(1, 2));
    expect(set.writesPerSecond(0)).toBe(8);
    set.see(1.25e9, Uint32Array.of(1));
    expect(set.writesPerSecond(0)).toBe(3);
  });
});
