import { createCipheriv, createHmac } from 'node:crypto';
import type { Nanos } from '../core/units.ts';
import { STREAM_DIGEST_BYTES } from '../core/wire/frames.ts';

/** AES-GMAC (NIST SP 800-38D): 128 bits under a key, at half a microsecond a page where the processor has AES. */
const ALGORITHM = 'aes-128-gcm';
const KEY_BYTES = 16;
/** No key is used for a second message, so the nonce may be the same always. */
const NONCE = Buffer.alloc(12);
const NO_KEY = Buffer.alloc(0);

/**
 * A digest of all that makes the guest, in the order in which it goes over the wire: frames of pages, the device state,
 * and the clock that comes with the stop. Each end keeps one while the guest runs, so that nothing is left to be read at the stop.
 *
 * The checksum of a frame finds a byte that was damaged by chance, and no more: it has 32 bits, and whoever changes two bytes can
 * keep it. The key of this one is new in each migration. With a shared key nobody else can know it.
 */
export class StreamDigest {
  readonly #mac;

  /**
   * @param migration its random name
   * @param key the key that both ends share, if they do
   */
  constructor(migration: string, key: Uint8Array | null) {
    const derived = createHmac('sha256', key ?? NO_KEY)
      .update(`switchover stream\0${migration}`)
      .digest();
    this.#mac = createCipheriv(ALGORITHM, derived.subarray(0, KEY_BYTES), NONCE, {
      authTagLength: STREAM_DIGEST_BYTES,
    });
  }

  /** The next bytes: it does not matter how they are cut. */
  add(bytes: Uint8Array): void {
    this.#mac.setAAD(bytes);
  }

  /** Of all bytes, and of the guest's clock and whether it is to stay paused. Nothing can be added any more. */
  end(guestTimeNs: Nanos, staysPaused: boolean): Buffer {
    this.add(Buffer.from(Float64Array.of(guestTimeNs, Number(staysPaused)).buffer));
    this.#mac.final();
    return this.#mac.getAuthTag();
  }
}
