import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  inSegments,
  SEGMENT_BYTES,
  SegmentedMemory,
  segmentLengths,
  sha256Of,
} from '../../src/platform/segmented-memory.ts';

const SIZE = 512;
const shape = fc.record({
  pages: fc.integer({ min: 1, max: 40 }),
  pagesPerSegment: fc.constantFrom(1, 2, 8, 64),
});

/** Its page p holds p + 1 in every byte. */
function numbered({ pages, pagesPerSegment }: { pages: number; pagesPerSegment: number }) {
  const bytes = Buffer.alloc(pages * SIZE);
  for (let page = 0; page < pages; page++) bytes.fill(page + 1, page * SIZE, (page + 1) * SIZE);
  return { bytes, memory: inSegments(bytes, SIZE, pagesPerSegment * SIZE) };
}

describe('memory in segments', () => {
  test('has each page whole in one segment, by its bytes and by its words', () => {
    fc.assert(
      fc.property(shape, (shape) => {
        const { memory } = numbered(shape);
        expect(memory.pages).toBe(shape.pages);
        for (let page = 0; page < memory.pages; page++) {
          const start = memory.startOf(page);
          const bytes = memory.segmentOf(page).subarray(start, start + SIZE);
          const word = memory.firstWordOf(page);
          const words = memory.wordsOf(page).subarray(word, word + SIZE / 4);
          expect(bytes.length).toBe(SIZE);
          expect(bytes.every((byte) => byte === page + 1)).toBe(true);
          expect(words.every((word) => word === (page + 1) * 0x0101_0101)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('says where the next segment begins, and which bytes are the first pages', () => {
    fc.assert(
      fc.property(shape, fc.nat(40), (shape, some) => {
        const { bytes, memory } = numbered(shape);
        for (let page = 0; page + 1 < memory.pages; page++) {
          const isLast = memory.segmentOf(page) !== memory.segmentOf(page + 1);
          expect(memory.endOfSegment(page) === page + 1).toBe(isLast);
        }
        const count = Math.min(some, memory.pages);
        expect(Buffer.concat(memory.firstPages(count)).equals(bytes.subarray(0, count * SIZE))).toBe(true);
      }),
    );
  });

  test('in smaller pages is the same memory', () => {
    const { memory } = numbered({ pages: 10, pagesPerSegment: 4 });
    const smaller = memory.inPagesOf(128);
    expect(smaller.pages).toBe(40);
    smaller.segmentOf(39)[smaller.startOf(39)] = 99;
    expect(memory.segmentOf(9)[memory.startOf(9) + 3 * 128]).toBe(99);
  });

  test('has the digest of all its bytes, wherever the borders are', () => {
    fc.assert(
      fc.property(shape, (shape) => {
        const { bytes, memory } = numbered(shape);
        expect(sha256Of(memory.segments)).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
    );
  });

  test('refuses segments between which a page would lie', () => {
    const three = Buffer.alloc(3 * SIZE);
    expect(() => new SegmentedMemory([three, three], SIZE)).toThrow(RangeError);
    expect(() => new SegmentedMemory([Buffer.alloc(SIZE), Buffer.alloc(100)], SIZE)).toThrow(RangeError);
  });

  test('of any size has no segment that Node could not hash in one call, and no page in two', () => {
    const sizes = fc.record({
      shift: fc.integer({ min: 9, max: 30 }),
      pages: fc.integer({ min: 1, max: 2 ** 24 }),
    });
    fc.assert(
      fc.property(sizes, ({ shift, pages }) => {
        const size = 2 ** shift;
        fc.pre(size * pages < 2 ** 42);
        const lengths = segmentLengths(pages * size, size);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(pages * size);
        expect(Math.max(...lengths)).toBeLessThan(2 ** 31);
        expect(lengths.slice(0, -1).every((length) => length === SEGMENT_BYTES)).toBe(true);
        expect(lengths.every((length) => length % size === 0)).toBe(true);
      }),
    );
  });
});
