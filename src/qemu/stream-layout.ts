/** A block of a machine's RAM. Its pages are numbered from 0, and those of all blocks from the first block's on. */
export interface RamBlock {
  readonly name: string;
  readonly pages: number;
  /** The number of its page 0 among the pages of all blocks. */
  readonly firstPage: number;
}

/** Who hears what a stream says, in its order. `atByte` counts from the beginning of the stream. */
export interface MigrationStreamListener {
  /** The machine's type, such as `pc-i440fx-10.0`. */
  machine(type: string): void;
  /** To the destination. @param argument what a ping is to be answered with; of others 0 */
  command(kind: number, argument: number): void;
  /** Once, before any page. */
  blocks(blocks: readonly RamBlock[]): void;
  /**
   * A page, whose record begins there. A zero page has 9 bytes, a full one 8 and the page, all of them after the block's name
   * where that is told (`switchesBlock`). The page itself may not have arrived yet.
   * @param page its number in the block
   */
  page(block: number, page: number, isZero: boolean, atByte: number): void;
  /** The end of a section of RAM, which ends there. After `end`, the last one, no page follows. */
  section(kind: 'start' | 'part' | 'end', atByte: number): void;
  /** What follows, from there to the end of the stream, are devices and what QEMU says of them: nobody reads it here. */
  devices(atByte: number): void;
}

/** On x86, and on most others. A machine that chooses its page size says so in its configuration, which is refused. */
export const QEMU_PAGE_BYTES = 4096;
/** What a page costs on the stream beyond its own bytes, and what a zero page costs. */
export const PAGE_RECORD_BYTES = 8;
export const ZERO_RECORD_BYTES = 9;

/** QEMU counts its rate, and sets its threshold anew, once in so long (migration/migration.c: BUFFER_DELAY). */
export const QEMU_WINDOW_NS = 100e6;

export const streamCommands = { openReturnPath: 1, ping: 2, switchoverStart: 11 } as const;

/** How a stream begins (migration/savevm.h: QEMU_VM_FILE_MAGIC). */
export const streamHead = { magic: 0x5145564d, version: 3 } as const;

/** The byte with which each part of a stream begins (migration/savevm.h: QEMU_VM_*). */
export const parts = {
  end: 0x00,
  sectionStart: 0x01,
  sectionPart: 0x02,
  sectionEnd: 0x03,
  sectionFull: 0x04,
  subsection: 0x05,
  configuration: 0x07,
  command: 0x08,
  footer: 0x7e,
} as const;

/**
 * What RAM's sections hold (migration/ram.c): records that begin with a word of 8 bytes, whose low 12 bits are these flags. The
 * rest is an offset in a block.
 */
export const RAM_VERSION = 4;
export const flags = { zero: 0x02, blocks: 0x04, page: 0x08, bodyEnd: 0x10, sameBlock: 0x20 } as const;
const FLAG_BITS = 12;
const FLAG_MASK = 2 ** FLAG_BITS - 1;
/** How many pages the upper half of a word counts by. */
const PAGES_A_HIGH_WORD = 2 ** (32 - FLAG_BITS);

/** The flags of a word of a record. */
export function flagsAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 4) & FLAG_MASK;
}

/** The offset that a word of a record holds, in pages. */
export function pagesAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * PAGES_A_HIGH_WORD + (bytes.readUInt32BE(at + 4) >>> FLAG_BITS);
}
