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

export interface SentPages {
  readonly sentPages: number;
  readonly zeroPages: number;
  readonly bytes: number;
}

/** Pages in the order in which they are sent, and the frame to begin with: a page may take several. */
interface FramesToSend {
  readonly pages: ArrayLike<number>;
  /** Whether their dirty marks are taken off. */
  readonly clears: boolean;
  readonly from: number;
}

const BATCH_BYTES = 512 * 1024;
const BATCHES = 4;

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
  /** Whether all pieces of the page so far were. */
  #isZero = true;
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

  /**
   * Fills a batch, from a frame of these pages on, for as long as it may. Not a loop of the asynchronous function that sends the
   * batches: that one is left after each of them, too soon for V8 to optimize it.
   * @param sentOne told after each frame how many of these pages' frames there have been
   */
  fill(
    writer: FrameWriter,
    { pages, clears, from }: FramesToSend,
    admits: (writer: FrameWriter) => boolean,
    sentOne: (frames: number) => void,
  ): { readonly next: number; readonly zeroPages: number } {
    const { perPage } = this;
    const frames = pages.length * perPage;
    let zeroPages = 0;
    let next = from;
    while (next < frames && admits(writer)) {
      if (this.#write(writer, pages[Math.floor(next / perPage)]!, next % perPage, clears)) zeroPages += 1;
      next += 1;
      sentOne(next);
    }
    return { next, zeroPages };
  }

  /**
   * Copies a piece of a page. The page's dirty mark is taken off before its first one, if it is to be: see `DirtyLog`.
   * @returns whether it was the last one, and the page held only zeros
   */
  #write(writer: FrameWriter, page: number, piece: number, clears: boolean): boolean {
    if (piece === 0) {
      this.#isZero = true;
      if (clears) this.#source.clear(page);
    }
    if (!this.#frame(writer, page * this.perPage + piece)) this.#isZero = false;
    return this.#isZero && piece + 1 === this.perPage;
  }

  /** @returns whether it holds only zeros */
  #frame(writer: FrameWriter, number: number): boolean {
    const size = this.payloadBytes;
    const start = this.#memory.startOf(number);
    const { buffer, payloadAt } = writer;
    this.#memory.segmentOf(number).copy(buffer, payloadAt, start, start + size);
    const maybeZero = buffer[payloadAt] === 0 && buffer[payloadAt + size - 1] === 0;
    const zero = maybeZero && buffer.compare(this.#zeroPage, 0, size, payloadAt, payloadAt + size) === 0;
    const changedBytes = this.#source.delta?.(number, buffer, payloadAt) ?? null;
    if (zero) writer.frame('zero', number, 0);
    else if (changedBytes === null) writer.frame('page', number, size);
    else writer.frame('delta', number, changedBytes);
    return zero;
  }
}
