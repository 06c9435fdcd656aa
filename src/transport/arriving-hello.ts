import { inputLimits } from '../core/input-limits.ts';
import { type FrameHeader, WireError } from '../core/wire/frames.ts';
import type { Hello } from './hello.ts';
import { readHello } from './read-hello.ts';

/** What the hellos that are arriving in this process, or are being read, hold of its memory together. */
let arrivingBytes = 0;

/** The hello of one connection. */
export class ArrivingHello {
  #bytes = 0;

  /**
   * Takes room for it as soon as its header has come, because the rest may be long in coming.
   * @throws WireError there is none
   */
  expect({ type, lengthBytes }: FrameHeader): void {
    if (type !== 'hello' || this.#bytes > 0) return;
    const { arrivingHelloBytes } = inputLimits;
    if (arrivingBytes + lengthBytes > arrivingHelloBytes) {
      throw new WireError(`hellos of more than ${arrivingHelloBytes} bytes arrive at once; try again later`);
    }
    this.#bytes = lengthBytes;
    arrivingBytes += lengthBytes;
  }

  /** @throws WireError as `readHello` does */
  async read(payload: Buffer, isWanted: () => boolean): Promise<Hello> {
    try {
      return await readHello(payload, isWanted);
    } finally {
      this.release();
    }
  }

  /** It will not come any more, or has been read. */
  release(): void {
    arrivingBytes -= this.#bytes;
    this.#bytes = 0;
  }
}
