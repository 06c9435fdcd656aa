import type { Socket } from 'node:net';
import type { FrameHeader, FrameType } from '../../core/wire/frames.ts';
import { type End, type HandoverState, next } from '../../core/wire/handover.ts';
import { FrameReader } from './frame-reader.ts';
import { encodeFrame } from './frame-writer.ts';

/** How long the other end may take to hang up after us. */
const LINGER_MS = 1_000;

/**
 * One end of a migration's connection: frames in, frames out, every one of them checked against the state table.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #end: End;
  readonly #reader: FrameReader;
  #state: HandoverState = 'new';

  /**
   * @param onFrame called for every frame that belongs here; its payload is only valid during the call
   * @param onClose called once, with the reason if something went wrong; the socket is gone by then
   */
  constructor(
    socket: Socket,
    end: End,
    onFrame: (header: FrameHeader, payload: Buffer) => void,
    onClose: (why: Error | undefined) => void,
  ) {
    this.#socket = socket;
    this.#end = end;
    let failure: Error | undefined;
    this.#reader = new FrameReader((header, payload) => {
      this.#step('receives', header.type);
      onFrame(header, payload);
    });
    const guarded = (action: () => unknown) => {
      try {
        action();
      } catch (cause) {
        failure ??= cause as Error;
        this.close(failure.message);
      }
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => guarded(() => this.#state === 'closed' || this.#reader.read(chunk)));
    socket.on('end', () => guarded(() => this.#state === 'closed' || this.#reader.end()));
    socket.on('error', (error) => {
      failure ??= error;
    });
    socket.on('close', () => {
      this.#state = 'closed';
      onClose(failure);
    });
  }

  get state(): HandoverState {
    return this.#state;
  }

  set pageSizeBytes(bytes: number) {
    this.#reader.pageSizeBytes = bytes;
  }

  /** Sends a frame. @throws WireError it does not belong here. */
  send(type: FrameType, argument = 0, payload?: Uint8Array): void {
    this.#step('sends', type);
    this.#socket.write(encodeFrame(type, argument, payload));
  }

  /**
   * Sends whole page frames; resolves when the kernel has taken them, or never will. Until then they must not be
   * touched. @throws WireError they do not belong here.
   */
  sendPages(frames: Buffer): Promise<void> {
    this.#step('sends', 'page');
    return new Promise((resolve) => this.#socket.write(frames, () => resolve()));
  }

  /** Tells the other end why, where the table still allows it, and hangs up. */
  close(why: string): void {
    if (this.#state === 'closed') return;
    try {
      this.send('abort', 0, Buffer.from(why.slice(0, 1000)));
    } catch {
      // Past the commit nobody can take anything back: hang up without a word.
    }
    this.finish();
  }

  /**
   * Hangs up after what was sent has arrived: goes on reading, and throwing away, until the other end hangs up
   * too, because closing over unread bytes would reset the connection and lose the last words.
   */
  finish(): void {
    this.#state = 'closed';
    this.#socket.end();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
  }

  #step(direction: 'sends' | 'receives', type: FrameType): void {
    if (this.#state === 'live' && (type === 'page' || type === 'zero')) return;
    this.#state = next(this.#end, this.#state, direction, type);
  }
}
