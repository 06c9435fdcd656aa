import { expect, test } from 'vitest';
import { hasKoffi } from '../../src/platform/koffi.ts';
import { populate, touch } from '../../src/platform/populate.ts';
import { sharedMemory } from '../../src/platform/shared-memory.ts';

const MIB = 2 ** 20;
const residentMiB = () => process.memoryUsage().rss / MIB;

/** Two pieces, of which the second one is no multiple of what is asked for at once. */
const pieces = () => [64 * MIB, 5 * MIB].map((bytes) => new Uint8Array(sharedMemory(bytes)));
const isZero = (piece: Uint8Array) => Buffer.from(piece.buffer).equals(Buffer.alloc(piece.length));

test.skipIf(!hasKoffi())('memory that was asked for is there before anybody has touched it', async () => {
  const memory = pieces();
  const before = residentMiB();
  await populate(memory);
  expect(residentMiB() - before).toBeGreaterThan(60);
  expect(memory.every(isZero)).toBe(true);
});

test('memory that was touched is there, and as it was', () => {
  const memory = pieces();
  const before = residentMiB();
  touch(memory);
  expect(residentMiB() - before).toBeGreaterThan(60);
  expect(memory.every(isZero)).toBe(true);
});
