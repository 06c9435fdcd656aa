import { expect, test } from 'vitest';
import { fairClass } from '../../src/platform/fair-class.ts';

test('the fair class is named, and its slice is a time if the kernel tells it', () => {
  const { name, sliceNs } = fairClass();
  expect(['EEVDF', 'CFS']).toContain(name);
  if (sliceNs !== undefined) expect(sliceNs).toBeGreaterThan(0);
});
