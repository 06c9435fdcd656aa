import { applyDelta } from '../core/wire/delta.ts';
import { type FrameHeader, WireError } from '../core/wire/frames.ts';
import type { HostedGuest } from './hosted-guest.ts';

/** A guest's memory as its pages arrive. */
export class ReceivedPages {
  readonly #pages: number;
  readonly #pageSizeBytes: number;
  readonly #memory: Buffer;

  constructor(memory: HostedGuest['memory'], pages: number, pageSizeBytes: number) {
    this.#pages = pages;
    this.#pageSizeBytes = pageSizeBytes;
    this.#memory = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
  }

  /**
   * A frame, its payload from `payloadAt` to `end` of what was received.
   * @throws WireError there is no such page, or it cannot become what the frame says
   */
  store({ type, argument: page }: FrameHeader, received: Buffer, payloadAt: number, end: number): void {
    if (page >= this.#pages) throw new WireError(`page ${page}, but the guest has ${this.#pages} pages`);
    const start = page * this.#pageSizeBytes;
    if (type === 'delta') {
      const { buffer, byteOffset } = this.#memory;
      applyDelta(
        new DataView(buffer, byteOffset + start, this.#pageSizeBytes),
        received.subarray(payloadAt, end),
      );
    } else if (type === 'page') {
      received.copy(this.#memory, start, payloadAt, end);
    } else {
      this.#memory.fill(0, start, start + this.#pageSizeBytes);
    }
  }
}
