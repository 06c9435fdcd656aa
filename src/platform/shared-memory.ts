import { Failure } from './failure.ts';
import { koffi } from './koffi.ts';
import { LEAST_POPULATED_BYTES } from './populate.ts';
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
  const bytes = segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const views = segments.map((segment) => bytesOf(segment, bytes >= LEAST_POPULATED_BYTES));
  return new SegmentedMemory(views, pageSizeBytes);
}

/** Keeps shared memory alive for as long as a view of it that V8 does not know to be one. */
const viewed = new WeakMap<ArrayBuffer, SharedArrayBuffer>();

/**
 * V8 copies from and to shared memory word by word (`base::Relaxed_Memmove`), which takes two to three times as long as memmove(3). The
 * same addresses as an ordinary buffer are copied by memmove. What else writes there meanwhile may then be copied in part, as
 * before, and the page is dirty.
 * @param isLarge whether that is worth loading koffi for (libc.ts)
 */
function bytesOf(segment: SharedArrayBuffer, isLarge: boolean): Uint8Array {
  const shared = new Uint8Array(segment);
  const calls = isLarge ? koffi() : undefined;
  if (!calls) return shared;
  const view = calls.view(calls.address(shared), segment.byteLength);
  viewed.set(view, segment);
  return new Uint8Array(view);
}
