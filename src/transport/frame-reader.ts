import { crc32 } from 'node:zlib';
import {
  type FrameHeader,
  HEADER_BYTES,
  LARGEST_HELLO_BYTES,
  readHeader,
  WireError,
} from '../core/wire/frames.ts';

/** Room for a larger frame than this, a hello with a recording, is given back: it comes once. */
const LARGEST_KEPT_BYTES = 2 * 1024 * 1024;

/** Called for a frame, with its payload, and with all its bytes as they came: both are only valid during the call. */
export type OnFrame = (header: FrameHeader, payload: Buffer, frame: Buffer) => void;

/**
 * Cuts a byte stream into frames and checks each one's checksum. A frame that lies whole in one chunk is handed
 * on in place; only one that straddles chunks is gathered first.
 */
export class FrameReader {
  /** Frames with more or less of a page are refused; 0 until the hello has said what a page is. */
  pageBytes = 0;
  /** Larger hellos are refused. */
  helloBytes = LARGEST_HELLO_BYTES;
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
    while (this.#gatheredBytes === 0 && offset < chunk.length) {
      const rest = chunk.length - offset;
      const header = rest >= HEADER_BYTES ? this.#header(view, offset) : undefined;
      if (header === undefined || rest < HEADER_BYTES + header.lengthBytes) {
        if (header) this.#expect(header);
        this.#gather(chunk, offset, rest);
        return;
      }
      const end = offset + HEADER_BYTES + header.lengthBytes;
      this.#deliver(header, chunk, offset, end);
      offset = end;
    }
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
    if (crc32(buffer.subarray(start + 4, end)) !== header.crc) {
      throw new WireError(`checksum error in a '${header.type}' frame`);
    }
    this.#onFrame(header, buffer.subarray(start + HEADER_BYTES, end), buffer.subarray(start, end));
  }
}
