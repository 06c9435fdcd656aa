import { type FrameType, HEADER_BYTES, writeChecksum, writeHeader } from '../core/wire/frames.ts';
import { frameChecksum } from './frame-checksum.ts';

/** A buffer being filled with frames, each complete with its checksum. */
export class FrameWriter {
  readonly buffer: Buffer;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacityBytes);
    this.#view = new DataView(this.buffer.buffer);
  }

  get lengthBytes(): number {
    return this.#length;
  }

  hasRoomFor(payloadBytes: number): boolean {
    return this.#length + HEADER_BYTES + payloadBytes <= this.buffer.length;
  }

  /** The frames written so far. */
  frames(): Buffer {
    return this.buffer.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  /** Where in the buffer the payload of the next frame goes: put it there, then call `frame`. */
  get payloadAt(): number {
    return this.#length + HEADER_BYTES;
  }

  /** Completes a frame whose payload is in place, its checksum included. */
  frame(type: FrameType, argument: number, payloadBytes: number): void {
    const start = this.#length;
    const end = start + HEADER_BYTES + payloadBytes;
    writeHeader(this.#view, start, type, argument, payloadBytes);
    writeChecksum(this.#view, start, frameChecksum(type, this.buffer, start, end));
    this.#length = end;
  }
}

/** One frame on its own. */
export function encodeFrame(type: FrameType, argument = 0, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const writer = new FrameWriter(HEADER_BYTES + payload.length);
  writer.buffer.set(payload, writer.payloadAt);
  writer.frame(type, argument, payload.length);
  return writer.frames();
}
