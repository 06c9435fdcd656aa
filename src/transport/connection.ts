import type { Socket } from 'node:net';
import { type FrameHeader, type FrameType, WireError } from '../core/wire/frames.ts';
import type { End, HandoverState } from '../core/wire/handover.ts';
import type { OnFrame, PageSink } from './frame-reader.ts';
import { encodeFrame } from './frame-writer.ts';
import { ProtocolState } from './protocol-state.ts';
import { descriptorOf } from './socket-descriptor.ts';
import { readableTlsError } from './tls-errors.ts';

/** How long the other end may take to close the connection after us. */
const LINGER_MS = 1_000;

/** One end of a migration's connection: a conversation and the socket that carries it. */
export class Connection {
  readonly #socket: Socket;
  readonly #protocol: ProtocolState;

  /**
   * @param keyed whether both ends must prove that they have the shared key
   * @param onFrame called for every frame that belongs here
   * @param onClose called once, with the reason if something went wrong; the socket is gone by then
   * @param onFailure called as soon as this end knows that something went wrong
   */
  constructor(
    socket: Socket,
    end: End,
    keyed: boolean,
    onFrame: OnFrame,
    onClose: (why: Error | undefined) => void,
    onFailure: (why: Error) => void = () => {},
  ) {
    this.#socket = socket;
    let failure: Error | undefined;
    const protocol = new ProtocolState(end, keyed, onFrame);
    this.#protocol = protocol;
    const guarded = (action: () => unknown) => {
      try {
        action();
      } catch (cause) {
        failure ??= cause as Error;
        onFailure(failure);
        this.close(failure.message);
      }
    };
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => guarded(() => protocol.read(chunk)));
    socket.on('end', () => guarded(() => protocol.end()));
    socket.on('timeout', () =>
      guarded(() => {
        const seconds = socket.timeout! / 1000;
        if (socket.writableLength > 0)
          throw new WireError(`the other end has accepted no data for ${seconds} s`);
        if (protocol.awaits) throw new WireError(`no answer for ${seconds} s in state '${protocol.state}'`);
      }),
    );
    socket.on('error', (error) => {
      failure ??= readableTlsError(error);
      // Node hangs up by itself, but not after an error of TLS.
      socket.destroy();
    });
    socket.on('close', () => {
      protocol.close();
      onClose(failure);
    });
  }

  /** By which the kernel knows the socket, while it is open. */
  get descriptor(): number | undefined {
    return descriptorOf(this.#socket);
  }

  get state(): HandoverState {
    return this.#protocol.state;
  }

  /**
   * Closes the connection when the other end, which should send, has sent nothing for so long, or has accepted no data.
   */
  set longestSilenceMs(silenceMs: number) {
    this.#socket.setTimeout(silenceMs);
  }

  /** Says every so often that this end is still there, where the table allows that. */
  sayAliveEvery(ms: number): void {
    const timer = setInterval(() => {
      if (this.maySend('alive')) this.send('alive');
    }, ms);
    this.#socket.once('close', () => clearInterval(timer));
  }

  /** Told of a frame of which more is to come; throws if it need not. It may be told of the same one again. */
  set expected(told: (header: FrameHeader) => void) {
    this.#protocol.expected = told;
  }

  /** Where frames of pages go; without it, to `onFrame`. */
  set pages(sink: PageSink) {
    this.#protocol.pages = sink;
  }

  set pageBytesPerFrame(bytes: number) {
    this.#protocol.pageBytesPerFrame = bytes;
  }

  /** Whether such a frame belongs here. */
  maySend(type: FrameType): boolean {
    return this.#protocol.maySend(type);
  }

  /** Sends a frame. @throws WireError it does not belong here. */
  send(type: FrameType, argument = 0, payload?: Uint8Array): void {
    this.#protocol.sends(type);
    this.#socket.write(encodeFrame(type, argument, payload));
  }

  /**
   * Sends whole page frames; resolves when the kernel has taken them, or never will. Until then they must not be
   * touched. @throws WireError they do not belong here.
   */
  sendPages(frames: Buffer): Promise<void> {
    this.#protocol.sends('page');
    return new Promise((resolve) => this.#socket.write(frames, () => resolve()));
  }

  /** Tells the other end why, where the table still allows it, and hangs up. */
  close(why: string): void {
    if (this.state === 'closed') return;
    try {
      this.send('abort', 0, Buffer.from(why.slice(0, 1000)));
    } catch {
      // After the commit an abort is not allowed: close without one.
    }
    this.finish();
  }

  /**
   * Hangs up after what was sent has arrived: goes on reading, and throwing away, until the other end hangs up
   * too, because closing over unread bytes would reset the connection and lose the last words.
   */
  finish(): void {
    this.#protocol.close();
    this.#socket.end();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
  }
}
