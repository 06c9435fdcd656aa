import type { Stretch } from './watched-memory.ts';

/** A mapping of a process's address space; addresses in bytes. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly writable: boolean;
  /** A file, `[heap]`, or empty. */
  readonly name: string;
}

/** The mappings that /proc/PID/maps lists, proc_pid_maps(5): `start-end perms offset device inode name`. */
export function parseMaps(text: string): Mapping[] {
  return text.split('\n').flatMap((line) => {
    const found = /^([0-9a-f]+)-([0-9a-f]+) (.)(.)\S* \S+ \S+ \S+ *(.*)$/.exec(line);
    if (!found) return [];
    const [, start = '', end = '', , write, name = ''] = found;
    return [
      { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), writable: write === 'w', name },
    ];
  });
}

/** /proc/PID/pagemap has a little-endian 64-bit entry a page, whose bit 63 says that the page is in memory. */
export const PAGEMAP_ENTRY_BYTES = 8;
const LAST_BYTE = 7;
const PRESENT = 0x80;

/** The pages that entries of a pagemap call present; the first entry is of `firstPage`. */
export function* presentStretches(entries: Uint8Array, firstPage: number): Generator<Stretch> {
  const count = entries.length / PAGEMAP_ENTRY_BYTES;
  const present = (entry: number) => (entries[entry * PAGEMAP_ENTRY_BYTES + LAST_BYTE]! & PRESENT) !== 0;
  let entry = 0;
  while (entry < count) {
    if (!present(entry)) {
      entry++;
      continue;
    }
    const from = entry;
    while (entry < count && present(entry)) entry++;
    yield { firstPage: firstPage + from, pages: entry - from };
  }
}
