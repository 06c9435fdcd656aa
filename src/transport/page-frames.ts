import { HEADER_BYTES, pageBytesPerFrame } from '../core/wire/frames.ts';
import type { SegmentedMemory } from '../platform/segmented-memory.ts';
import { FrameWriter } from './frame-writer.ts';

/** Memory that is being migrated while its owner goes on writing it. */
export interface PageSource {
  readonly memory: SegmentedMemory;
  /** Takes off the page's dirty mark. Called before the page is copied, never after. */
  clear(page: number): void;
  /**
   * Told of each page that is sent. What has changed since it was sent before is written at `at`, if that is known and is less
   * than the page. Not for pages that go in pieces. @returns its length in bytes; null: the page must go whole
   */
  delta?(page: number, into: Buffer, at: number): number | null;
}

const BATCH_BYTES = 256 * 1024;
const BATCHES = 8;

/** Makes frames of pages, batch by batch. */
export class PageFrames {
  /** How many frames a page takes: more than one if it is larger than a frame may be. */
  readonly perPage: number;
  /** What each of them holds. */
  readonly payloadBytes: number;
  readonly #source: PageSource;
  /** In pages that fit into a frame. */
  readonly #memory: SegmentedMemory;
  readonly #zeroPage: Buffer;
  /** Filled in turn, so that the kernel has something to take while the next one is filled. */
  readonly #writers: readonly FrameWriter[];

  constructor(source: PageSource) {
    const { pageSizeBytes } = source.memory;
    this.payloadBytes = pageBytesPerFrame(pageSizeBytes);
    this.perPage = pageSizeBytes / this.payloadBytes;
    this.#source = source;
    this.#memory = source.memory.inPagesOf(this.payloadBytes);
    this.#zeroPage = Buffer.alloc(this.payloadBytes);
    const batchBytes = Math.max(BATCH_BYTES, HEADER_BYTES + this.payloadBytes);
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

  /** Copies frame number `frame` of all, after its page's dirty bit was cleared: see `DirtyLog`. True: it held only zeros. */
  write(writer: FrameWriter, frame: number): boolean {
    const size = this.payloadBytes;
    const start = this.#memory.startOf(frame);
    const { buffer, payloadAt } = writer;
    this.#memory.segmentOf(frame).copy(buffer, payloadAt, start, start + size);
    const maybeZero = buffer[payloadAt] === 0 && buffer[payloadAt + size - 1] === 0;
    const zero = maybeZero && buffer.compare(this.#zeroPage, 0, size, payloadAt, payloadAt + size) === 0;
    const changedBytes = this.#source.delta?.(frame, buffer, payloadAt) ?? null;
    if (zero) writer.frame('zero', frame, 0);
    else if (changedBytes === null) writer.frame('page', frame, size);
    else writer.frame('delta', frame, changedBytes);
    return zero;
  }
}
