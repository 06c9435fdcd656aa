import {
  type FrameHeader,
  type FrameType,
  isOfPage,
  LARGEST_CONTROL_BYTES,
  LARGEST_HELLO_BYTES,
} from '../core/wire/frames.ts';
import {
  awaits,
  type Direction,
  type End,
  type HandoverState,
  maySend,
  next,
} from '../core/wire/handover.ts';
import { FrameReader, type OnFrame } from './frame-reader.ts';

/** One end of the hand-over without its socket: bytes in, frames out, each of them checked against the state table. */
export class ProtocolState {
  readonly #end: End;
  /** Told of a frame that belongs here and of which more is to come; throws if it need not. */
  expected: (header: FrameHeader) => void = () => {};
  readonly #reader: FrameReader;
  #state: HandoverState;

  /**
   * @param keyed whether both ends must prove that they have the shared key
   * @param onFrame called for every frame that belongs here
   */
  constructor(end: End, keyed: boolean, onFrame: OnFrame) {
    this.#end = end;
    this.#state = keyed ? 'locked' : 'new';
    this.#reader = new FrameReader(
      (header, payload, frame) => {
        this.#step('receives', header.type);
        onFrame(header, payload, frame);
      },
      (header) => {
        next(end, this.#state, 'receives', header.type);
        this.expected(header);
      },
    );
    // Only the source's hello carries a recording.
    this.#reader.helloBytes = end === 'source' ? LARGEST_CONTROL_BYTES : LARGEST_HELLO_BYTES;
  }

  get state(): HandoverState {
    return this.#state;
  }

  /** Whether the other end is expected to send. */
  get awaits(): boolean {
    return awaits(this.#end, this.#state);
  }

  set pageBytesPerFrame(bytes: number) {
    this.#reader.pageBytes = bytes;
  }

  /** Bytes from the other end. After the last word nothing is heard. @throws WireError they break the wire's rules. */
  read(chunk: Buffer): void {
    if (this.#state !== 'closed') this.#reader.read(chunk);
  }

  /** The other end will say no more. @throws WireError in the middle of a frame. */
  end(): void {
    if (this.#state !== 'closed') this.#reader.end();
  }

  maySend(type: FrameType): boolean {
    return maySend(this.#end, this.#state, type);
  }

  /** This end sends a frame. @throws WireError it does not belong here. */
  sends(type: FrameType): void {
    this.#step('sends', type);
  }

  close(): void {
    this.#state = 'closed';
  }

  #step(direction: Direction, type: FrameType): void {
    if (this.#state === 'live' && isOfPage(type)) return;
    this.#state = next(this.#end, this.#state, direction, type);
  }
}
