import { WireError } from '../core/wire/frames.ts';

/** The most device state of a guest; a virtual machine has far less. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A guest's device state, as it arrives piece by piece. */
export class ReceivedState {
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  /** @throws WireError it does not follow upon what came before, or is too much */
  add(offset: number, piece: Buffer): void {
    if (offset !== this.#bytes)
      throw new WireError(`a 'state' frame at offset ${offset}; expected ${this.#bytes}`);
    this.#bytes += piece.length;
    if (this.#bytes > MOST_BYTES) throw new WireError(`more than ${MOST_BYTES} bytes of state`);
    this.#pieces.push(piece);
  }

  whole(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
