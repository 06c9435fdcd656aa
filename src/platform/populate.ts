import { koffi } from './koffi.ts';
import { systemPageBytes } from './page-size.ts';

/** include/uapi/asm-generic/mman-common.h; the second since Linux 5.14. */
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_WRITE = 23;

/** Of the threads that Node has for such calls (UV_THREADPOOL_SIZE: 4), so many; the others are for files and addresses. */
const LANES = 2;
const PIECE_BYTES = 64 * 2 ** 20;
/** Less is found soon enough when it is touched, and koffi keeps 43 KB for every thread that loads it. */
export const LEAST_POPULATED_BYTES = PIECE_BYTES;

/** madvise(2), in a thread of Node's, on memory that stays there meanwhile. Its result: 0, or −1. */
type Madvise = (memory: Uint8Array, length: number, advice: number) => Promise<number>;

/**
 * Has the kernel find these pieces of memory, instead of each page when it is first touched: in huge pages where it can, and on two
 * processors at once. What it cannot do, for lack of koffi or in an older kernel, is left to whoever touches them first.
 */
export async function populate(pieces: readonly Uint8Array[]): Promise<void> {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const madvise = bytes < LEAST_POPULATED_BYTES ? undefined : madviseCall();
  if (!madvise) return;
  for (const piece of pieces) await madvise(piece, piece.length, MADV_HUGEPAGE);
  const left = pieces.flatMap((piece) => cut(piece)).values();
  const lane = async () => {
    for (const piece of left) {
      if ((await madvise(piece, piece.length, MADV_POPULATE_WRITE)) !== 0) return;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Touches every page of new memory, which holds only zeros, so that nobody has to wait for the kernel to find it. */
export function touch(pieces: Iterable<Uint8Array>): void {
  const stride = systemPageBytes();
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += stride) piece[at] = 0;
  }
}

function cut(memory: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(memory.length / PIECE_BYTES) }, (_, index) =>
    memory.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  );
}

let known: Madvise | undefined;

function madviseCall(): Madvise | undefined {
  if (known || process.platform !== 'linux') return known;
  const call = koffi()?.load(null).func('int madvise(void *address, size_t length, int advice)');
  if (!call) return undefined;
  known = (memory, length, advice) =>
    new Promise((resolve, reject) =>
      call.async(memory, length, advice, (error: unknown, result: number) =>
        error ? reject(error) : resolve(result),
      ),
    );
  return known;
}
