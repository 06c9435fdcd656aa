import type { Bytes } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import {
  PAGE_RECORD_BYTES,
  QEMU_PAGE_BYTES,
  type RamBlock,
  ZERO_RECORD_BYTES,
} from '../../qemu/stream-layout.ts';
import { AskedPages } from './asked-pages.ts';
import type { RelayListener } from './stream-relay.ts';

const LOOK_EVERY_MS = 2;

/** Pages of a stream up to some instant. */
export interface PageTotals {
  readonly pages: number;
  readonly zeroPages: number;
  readonly bytes: Bytes;
}

/**
 * What of a stream has passed through the relay. Pages count when they have been read here: they leave within milliseconds, as the
 * bucket lets them.
 */
export class PageFlow implements RelayListener {
  blocksOf: readonly RamBlock[] = [];
  asked: AskedPages | undefined;
  /** Whether the guest runs: pages that come while it is stopped come in QEMU's order, all of them. */
  isLive = true;
  pages = 0;
  zeroPages = 0;
  leftBytes = 0;
  /** Where the devices begin in the stream, once that is known. */
  devicesAtByte: Bytes | undefined;
  readonly #waiting = new Set<() => void>();
  #sent: Uint8Array = new Uint8Array(0);
  /** Pages that have not come yet. */
  neverSentPages = 0;

  machine(): void {}
  command(): void {}
  section(): void {}

  blocks(blocks: readonly RamBlock[]): void {
    this.blocksOf = blocks;
    const last = blocks.at(-1)!;
    const pages = last.firstPage + last.pages;
    this.asked = new AskedPages(pages);
    this.#sent = new Uint8Array(pages);
    this.neverSentPages = pages;
    this.#wakeAll();
  }

  page(block: number, page: number, isZero: boolean): void {
    const number = this.blocksOf[block]!.firstPage + page;
    this.pages += 1;
    if (isZero) this.zeroPages += 1;
    if (this.isLive) this.asked!.came(number);
    if (this.#sent[number] === 0) {
      this.#sent[number] = 1;
      this.neverSentPages -= 1;
    }
  }

  devices(atByte: Bytes): void {
    this.devicesAtByte = atByte;
  }

  left(bytes: Bytes): void {
    this.leftBytes = bytes;
    this.#wakeAll();
  }

  /**
   * Waits until that is so: it is looked at whenever bytes have left, and every few milliseconds.
   * @returns false: it has not been so by `endNs` of the host's clock
   */
  async until(isSo: () => boolean, endNs = Number.POSITIVE_INFINITY): Promise<boolean> {
    while (!isSo()) {
      if (clockNs() >= endNs) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_EVERY_MS);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  get totals(): PageTotals {
    return { pages: this.pages, zeroPages: this.zeroPages, bytes: this.leftBytes };
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** What pages came to on the stream between two instants. */
export function between(before: PageTotals, after: PageTotals) {
  const sentPages = after.pages - before.pages;
  const zeroPages = after.zeroPages - before.zeroPages;
  return {
    sentPages,
    zeroPages,
    bytes: zeroPages * ZERO_RECORD_BYTES + (sentPages - zeroPages) * (PAGE_RECORD_BYTES + QEMU_PAGE_BYTES),
  };
}
