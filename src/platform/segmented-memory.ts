import { createHash } from 'node:crypto';

/** In Node 20 a typed array ends at 4 GiB, and what is hashed or checksummed in one call at 2 GiB. The largest page fits. */
export const SEGMENT_BYTES = 2 ** 30;

/**
 * Pages of memory that may be more than one typed array holds. They lie in segments: all of the same length, a power of two
 * of pages, but for the last one, which may be shorter. So a page lies whole in one segment.
 */
export class SegmentedMemory {
  readonly segments: readonly Buffer[];
  readonly pageSizeBytes: number;
  readonly pages: number;
  readonly #words: readonly Uint32Array[];
  /** A page's number, shifted by so many bits, is that of its segment. */
  readonly #shift: number;
  /** The bits of a page's number that say where it lies in its segment. */
  readonly #mask: number;

  /** @throws RangeError a page would lie in two segments */
  constructor(segments: readonly Uint8Array[], pageSizeBytes: number) {
    const perSegment = segments[0]!.length / pageSizeBytes;
    this.#shift = Math.ceil(Math.log2(perSegment));
    this.#mask = 2 ** this.#shift - 1;
    const isRegular = segments
      .slice(0, -1)
      .every(({ length }) => length === pageSizeBytes * 2 ** this.#shift);
    if (!isRegular || !Number.isInteger(segments.at(-1)!.length / pageSizeBytes)) {
      throw new RangeError(`segments that are no power of two of pages of ${pageSizeBytes} bytes`);
    }
    this.segments = segments.map((one) => Buffer.from(one.buffer, one.byteOffset, one.length));
    this.pageSizeBytes = pageSizeBytes;
    this.pages = segments.reduce((sum, { length }) => sum + length / pageSizeBytes, 0);
    this.#words = segments.map((one) => new Uint32Array(one.buffer, one.byteOffset, one.length / 4));
  }

  /** The segment where this page lies. */
  segmentOf(page: number): Buffer {
    return this.segments[page >>> this.#shift]!;
  }

  /** Where in its segment this page begins. */
  startOf(page: number): number {
    return (page & this.#mask) * this.pageSizeBytes;
  }

  /** The segment where this page lies, in 32-bit words. */
  wordsOf(page: number): Uint32Array {
    return this.#words[page >>> this.#shift]!;
  }

  /** The first of the page's words among these. */
  firstWordOf(page: number): number {
    return this.startOf(page) / 4;
  }

  /** The first page that lies in a later segment than this one, if there are so many. */
  endOfSegment(page: number): number {
    return (page | this.#mask) + 1;
  }

  /** The pages from the first one on, as bytes. */
  firstPages(count: number): readonly Buffer[] {
    let left = count * this.pageSizeBytes;
    return this.segments.map((segment) => {
      const taken = segment.subarray(0, left);
      left -= taken.length;
      return taken;
    });
  }

  /** The same memory in pages of another size, by which all segments but the last must be divisible. */
  inPagesOf(pageSizeBytes: number): SegmentedMemory {
    return new SegmentedMemory(this.segments, pageSizeBytes);
  }
}

/**
 * The lengths of the segments of so many bytes.
 * @param segmentBytes what a segment has, unless a page is larger
 */
export function segmentLengths(
  bytes: number,
  pageSizeBytes: number,
  segmentBytes = SEGMENT_BYTES,
): readonly number[] {
  const length = Math.max(segmentBytes, pageSizeBytes);
  return Array.from({ length: Math.ceil(bytes / length) }, (_, index) =>
    Math.min(length, bytes - index * length),
  );
}

/** One piece of memory, cut into segments. */
export function inSegments(
  memory: Buffer,
  pageSizeBytes: number,
  segmentBytes = SEGMENT_BYTES,
): SegmentedMemory {
  let end = 0;
  const segments = segmentLengths(memory.length, pageSizeBytes, segmentBytes).map((length) => {
    end += length;
    return memory.subarray(end - length, end);
  });
  return new SegmentedMemory(segments, pageSizeBytes);
}

/** SHA-256 of memory, in hexadecimal. @param pieces of less than 2 GiB each */
export function sha256Of(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
