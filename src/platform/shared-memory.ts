/** Keeps what is counted for as long as what is not. */
const counted = new WeakMap<SharedArrayBuffer, ArrayBuffer>();

/**
 * Memory that threads share, zeroed. V8 counts none of it (backing-store.h: PerIsolateAccountingLength), so that gigabytes which
 * nobody can reach any more give it no reason to collect them. For that reason as much that it does count is held beside it, of which
 * nothing is ever touched: that takes addresses and no memory. Both are mapped apart from the C library's heap, since their length
 * might change (though it does not), and are given back whole.
 * @throws RangeError there is not that much memory
 */
export function sharedMemory(bytes: number): SharedArrayBuffer {
  const mapped = { maxByteLength: bytes };
  const memory = new SharedArrayBuffer(bytes, mapped);
  counted.set(memory, new ArrayBuffer(bytes, mapped));
  return memory;
}
