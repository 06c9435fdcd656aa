import { createHash } from 'node:crypto';

/** So that the order counts (FNV-1, 32 bits). */
const FNV_PRIME = 0x0100_0193;

/**
 * A checksum a page, as it was last sent or last received: the CRC-32 of its frame, page number included; of a frame that tells
 * only what has changed, together with the checksum of what it came upon. Both ends keep them while the guest runs, so that at the
 * stop only 4 bytes a page remain to be combined.
 */
export class PageChecksums {
  readonly #crcs: Uint32Array;

  constructor(pages: number) {
    this.#crcs = new Uint32Array(pages);
  }

  set(page: number, crc: number): void {
    this.#crcs[page] = crc;
  }

  /** The page is now what this frame has made of what it was. */
  follow(page: number, crc: number): void {
    this.#crcs[page] = (Math.imul(this.#crcs[page]!, FNV_PRIME) ^ crc) >>> 0;
  }

  /** SHA-256 over all of them. */
  digest(): Buffer {
    return createHash('sha256').update(this.#crcs).digest();
  }
}
