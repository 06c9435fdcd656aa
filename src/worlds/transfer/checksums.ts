import { createHash } from 'node:crypto';

/**
 * A checksum a page, as it was last sent or last received: the CRC-32 of its frame, page number included. Both
 * ends keep them while the guest runs, so that at the stop only 4 bytes a page remain to be combined.
 */
export class PageChecksums {
  readonly #crcs: Uint32Array;

  constructor(pages: number) {
    this.#crcs = new Uint32Array(pages);
  }

  set(page: number, crc: number): void {
    this.#crcs[page] = crc;
  }

  /** SHA-256 over all of them. */
  digest(): Buffer {
    return createHash('sha256').update(this.#crcs).digest();
  }
}
