import { applyDelta } from '../core/wire/delta.ts';
import { type FrameHeader, pageBytesPerFrame, WireError } from '../core/wire/frames.ts';
import type { SegmentedMemory } from '../platform/segmented-memory.ts';

/** A guest's memory as its pages arrive. */
export class ReceivedPages {
  /** What a frame holds of a page: all of it, or a piece. */
  readonly bytesPerFrame: number;
  /** In pages of that size. */
  readonly #memory: SegmentedMemory;
  readonly #zeroPage: Buffer;

  constructor(memory: SegmentedMemory) {
    this.bytesPerFrame = pageBytesPerFrame(memory.pageSizeBytes);
    this.#memory = memory.inPagesOf(this.bytesPerFrame);
    this.#zeroPage = Buffer.alloc(this.bytesPerFrame);
  }

  /** @throws WireError there is no such page, or it cannot become what the frame says */
  store({ type, argument: page }: FrameHeader, payload: Buffer): void {
    const { pages, pageSizeBytes } = this.#memory;
    if (page >= pages) throw new WireError(`page ${page}, but the guest has ${pages} pages`);
    const memory = this.#memory.segmentOf(page);
    const start = this.#memory.startOf(page);
    const end = start + pageSizeBytes;
    if (type === 'delta') {
      applyDelta(new DataView(memory.buffer, memory.byteOffset + start, pageSizeBytes), payload);
    } else if (type === 'page') {
      payload.copy(memory, start);
    } else if (memory.compare(this.#zeroPage, 0, pageSizeBytes, start, end) !== 0) {
      // Memory that is zero anyway is left alone, so that a page nobody has written takes none (QEMU's ram_handle_zero).
      memory.fill(0, start, end);
    }
  }
}
