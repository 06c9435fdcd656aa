import {
  type FrameHeader,
  HEADER_BYTES,
  isOfPage,
  LARGEST_HELLO_BYTES,
  readHeader,
  WireError,
} from '../core/wire/frames.ts';
import { frameChecksum } from './frame-checksum.ts';

/** Room for a larger frame than this, a hello with a recording, is given back: it comes once. */
const LARGEST_KEPT_BYTES = 2 * 1024 * 1024;

/** Called for a frame, with its payload, which is only valid during the call. */
export type OnFrame = (header: FrameHeader, payload: Buffer) => void;

/** Where frames of pages go. Nothing is made for each of them: there are hundreds of thousands a second. */
export interface PageSink {
  /** One frame, its payload from `start` to `end`. */
  store(header: FrameHeader, buffer: Buffer, start: number, end: number): void;
  /** The bytes of frames that have been stored, whole and as they came, before any other frame that follows them. */
  stored(frames: Buffer): void;
}

/**
 * Cuts a byte stream into frames and checks each one's checksum, which says nothing of the bytes of a page. A frame that lies whole in one chunk is handed
 * on in place; only one that straddles chunks is gathered first.
 */
export class FrameReader {
  /** Frames with more or less of a page are refused; 0 until the hello has said what a page is. */
  pageBytes = 0;
  /** Larger hellos are refused. */
  helloBytes = LARGEST_HELLO_BYTES;
  /** Without it, frames of pages are handed on as all others. */
  pages: PageSink | undefined;
  readonly #onFrame: OnFrame;
  readonly #expect: (header: FrameHeader) => void;
  #gathered: Buffer = Buffer.alloc(0);
  #gatheredBytes = 0;

  /**
   * @param expect told of a frame whose payload is still on its way; throws if it need not come
   */
  constructor(onFrame: OnFrame, expect: (header: FrameHeader) => void = () => {}) {
    this.#onFrame = onFrame;
    this.#expect = expect;
  }

  /** @throws WireError what was read is not a frame, or is damaged. */
  read(chunk: Buffer): void {
    let offset = this.#gatheredBytes === 0 ? 0 : this.#finishGathered(chunk);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    // Where frames of pages began after which nothing else has come yet.
    let pagesFrom = offset;
    while (this.#gatheredBytes === 0 && offset < chunk.length) {
      const rest = chunk.length - offset;
      const header = rest >= HEADER_BYTES ? this.#header(view, offset) : undefined;
      if (header === undefined || rest < HEADER_BYTES + header.lengthBytes) {
        if (header) this.#expect(header);
        this.#gather(chunk, offset, rest);
        break;
      }
      const end = offset + HEADER_BYTES + header.lengthBytes;
      if (isOfPage(header.type)) {
        this.#deliver(header, chunk, offset, end);
      } else {
        this.#tellPages(chunk, pagesFrom, offset);
        pagesFrom = end;
        this.#deliver(header, chunk, offset, end);
      }
      offset = end;
    }
    this.#tellPages(chunk, pagesFrom, offset);
  }

  /** @throws WireError the stream ended inside a frame. */
  end(): void {
    if (this.#gatheredBytes > 0) throw new WireError('the stream ended inside a frame');
  }

  /** Takes from the chunk what the gathered frame lacks; returns where the next frame begins. */
  #finishGathered(chunk: Buffer): number {
    let taken = 0;
    for (let wanted = HEADER_BYTES; ; ) {
      const take = Math.min(wanted - this.#gatheredBytes, chunk.length - taken);
      if (take > 0) {
        this.#gather(chunk, taken, take);
        taken += take;
      }
      if (this.#gatheredBytes < wanted) return taken;
      const view = new DataView(this.#gathered.buffer, this.#gathered.byteOffset, HEADER_BYTES);
      const header = this.#header(view, 0);
      const whole = HEADER_BYTES + header.lengthBytes;
      if (this.#gatheredBytes === whole) {
        const frame = this.#gathered;
        this.#gatheredBytes = 0;
        if (whole > LARGEST_KEPT_BYTES) this.#gathered = Buffer.alloc(0);
        this.#deliver(header, frame, 0, whole);
        if (isOfPage(header.type)) this.#tellPages(frame, 0, whole);
        return taken;
      }
      this.#expect(header);
      wanted = whole;
    }
  }

  #header(view: DataView, offset: number): FrameHeader {
    return readHeader(view, offset, this.pageBytes, this.helloBytes);
  }

  #gather(chunk: Buffer, offset: number, bytes: number): void {
    const total = this.#gatheredBytes + bytes;
    if (this.#gathered.length < total) {
      const most = HEADER_BYTES + Math.max(this.helloBytes, this.pageBytes);
      const larger = Buffer.alloc(Math.max(total, Math.min(most, 2 * this.#gathered.length)));
      this.#gathered.copy(larger, 0, 0, this.#gatheredBytes);
      this.#gathered = larger;
    }
    chunk.copy(this.#gathered, this.#gatheredBytes, offset, offset + bytes);
    this.#gatheredBytes = total;
  }

  #deliver(header: FrameHeader, buffer: Buffer, start: number, end: number): void {
    if (frameChecksum(header.type, buffer, start, end) !== header.crc) {
      throw new WireError(`checksum error in a '${header.type}' frame`);
    }
    if (this.pages && isOfPage(header.type)) this.pages.store(header, buffer, start + HEADER_BYTES, end);
    else this.#onFrame(header, buffer.subarray(start + HEADER_BYTES, end));
  }

  #tellPages(buffer: Buffer, start: number, end: number): void {
    if (end > start) this.pages?.stored(buffer.subarray(start, end));
  }
}
