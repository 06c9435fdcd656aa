import { Failure } from './failure.ts';
import { SegmentedMemory, segmentLengths } from './segmented-memory.ts';

/** Keeps a counted buffer alive for as long as its shared one. */
const counted = new WeakMap<SharedArrayBuffer, ArrayBuffer>();

/**
 * Memory that threads share, zeroed. V8 does not count it (backing-store.h: PerIsolateAccountingLength), so gigabytes that
 * have become unreachable do not make it collect garbage. Therefore an ordinary buffer of the same length, which V8 does
 * count, is kept with it. That one is never touched, so it takes addresses and no memory. Both have a maximum length, so
 * they are mapped outside the C library's heap, and are given back as a whole.
 * @throws RangeError there is not that much memory
 */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  const mapped = { maxByteLength: bytes };
  const memory = new SharedArrayBuffer(bytes, mapped);
  counted.set(memory, new ArrayBuffer(bytes, mapped));
  return memory;
}

/** The same in segments (segmented-memory.ts). @throws Failure there is not that much memory */
export function sharedSegments(
  { pages, pageSizeBytes }: Pick<SegmentedMemory, 'pages' | 'pageSizeBytes'>,
  segmentBytes?: number,
): readonly SharedArrayBuffer[] {
  try {
    return segmentLengths(pages * pageSizeBytes, pageSizeBytes, segmentBytes).map(sharedMemory);
  } catch {
    throw new Failure(`no memory for a guest of ${pages} pages of ${pageSizeBytes} bytes`);
  }
}

/** These segments as memory, in the thread that asks. */
export function overShared(
  segments: readonly SharedArrayBuffer[],
  { pageSizeBytes }: Pick<SegmentedMemory, 'pageSizeBytes'>,
): SegmentedMemory {
  const views = segments.map((segment) => new Uint8Array(segment));
  return new SegmentedMemory(views, pageSizeBytes);
}
