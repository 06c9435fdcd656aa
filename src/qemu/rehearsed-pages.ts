import { PageSet } from '../core/migration/pages.ts';
import { Failure } from '../platform/failure.ts';
import type { MigrationStreamListener, RamBlock } from './stream-layout.ts';

/** The different pages that a stream has brought since they were last taken. */
export class RehearsedPages implements MigrationStreamListener {
  blocksSeen: readonly RamBlock[] = [];
  /** Since the beginning, those that came twice also twice: as QEMU counts them itself. */
  arrived = 0;
  /** Of the first round, which is of all memory. */
  zeroAtFirst = 0;
  #pages = new PageSet(0);

  /** Of all blocks. */
  get memoryPages(): number {
    return this.#pages.pages;
  }

  /** Their numbers among the pages of all blocks, ascending. */
  take(): Uint32Array {
    const taken = this.#pages.toArray();
    this.#pages.clear();
    return taken;
  }

  machine(): void {}
  command(): void {}
  section(): void {}

  blocks(blocks: readonly RamBlock[]): void {
    const last = blocks.at(-1)!;
    this.blocksSeen = blocks;
    this.#pages = new PageSet(last.firstPage + last.pages);
  }

  page(block: number, page: number, isZero: boolean): void {
    this.arrived += 1;
    if (isZero && this.arrived <= this.memoryPages) this.zeroAtFirst += 1;
    this.#pages.add(this.blocksSeen[block]!.firstPage + page);
  }

  /** @throws Failure QEMU hands the machine over, which it never should: its word for that was not said */
  devices(): void {
    throw new Failure('QEMU hands the machine over though it was not told to');
  }
}
