import { HEADER_BYTES } from '../core/wire/frames.ts';
import { FrameWriter } from './frame-writer.ts';

/** Memory that is being migrated while its owner goes on writing it. */
export interface PageSource {
  readonly memory: Uint8Array;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** Takes off the page's dirty mark. Called before the page is copied, never after. */
  clear(page: number): void;
  /**
   * Told of each page that is sent. What has changed since it was sent before is written at `at`, if that is known and is less
   * than the page. @returns its length in bytes; null: the page must go whole
   */
  delta?(page: number, into: Buffer, at: number): number | null;
}

const BATCH_BYTES = 256 * 1024;
const BATCHES = 8;

/** Makes frames of pages, batch by batch. */
export class PageFrames {
  readonly #source: PageSource;
  readonly #pageSizeBytes: number;
  readonly #pageOf: Buffer;
  readonly #zeroPage: Buffer;
  /** Filled in turn, so that the kernel has something to take while the next one is filled. */
  readonly #writers: readonly FrameWriter[];

  constructor(source: PageSource) {
    const { memory, pageSizeBytes } = source;
    this.#source = source;
    this.#pageSizeBytes = pageSizeBytes;
    this.#pageOf = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
    this.#zeroPage = Buffer.alloc(pageSizeBytes);
    const batchBytes = Math.max(BATCH_BYTES, HEADER_BYTES + pageSizeBytes);
    this.#writers = Array.from({ length: BATCHES }, () => new FrameWriter(batchBytes));
    // Written once, so that the kernel has not to find them while it counts.
    for (const { buffer } of this.#writers) buffer.fill(0);
  }

  /** The batch that must have been taken before this one may be filled. */
  static before(batch: number): number {
    return batch - BATCHES;
  }

  /** Where the frames of a batch go; empty. */
  writer(batch: number): FrameWriter {
    const writer = this.#writers[batch % BATCHES]!;
    writer.reset();
    return writer;
  }

  /** Copies the page, after its dirty bit was cleared: see `DirtyLog`. True: it held only zeros. */
  write(writer: FrameWriter, page: number): boolean {
    const size = this.#pageSizeBytes;
    const start = page * size;
    const { buffer, payloadAt } = writer;
    this.#pageOf.copy(buffer, payloadAt, start, start + size);
    const maybeZero = buffer[payloadAt] === 0 && buffer[payloadAt + size - 1] === 0;
    const zero = maybeZero && buffer.compare(this.#zeroPage, 0, size, payloadAt, payloadAt + size) === 0;
    const changedBytes = this.#source.delta?.(page, buffer, payloadAt) ?? null;
    if (zero) writer.frame('zero', page, 0);
    else if (changedBytes === null) writer.frame('page', page, size);
    else writer.frame('delta', page, changedBytes);
    return zero;
  }
}
