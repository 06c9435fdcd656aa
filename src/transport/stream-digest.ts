import { createCipheriv, createHmac } from 'node:crypto';
import type { Nanos } from '../core/units.ts';
import { STREAM_DIGEST_BYTES, WireError } from '../core/wire/frames.ts';

/** AES-GMAC (NIST SP 800-38D): 128 bits under a key, at half a microsecond a page where the processor has AES. */
const ALGORITHM = 'aes-128-gcm';
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const NO_KEY = Buffer.alloc(0);

/**
 * Digests of all that makes the guest, in the order in which it goes over the wire: frames of pages, the device state,
 * and the clock that comes with the stop. Each end keeps them while the guest runs, so that nothing is left to be read at the stop.
 * One is taken at the end of each round, of what was sent since the one before, and the last one at the stop.
 *
 * Nothing else looks at the bytes of a page: a checksum of 32 bits would find damage by chance, and whoever changes two bytes can
 * keep it. The key of these is new in each migration, and with a shared key nobody else can know it. No key is used twice with
 * one nonce, which is the number of the digest; so none can stand for another.
 */
export class StreamDigest {
  readonly #key: Uint8Array;
  #taken = 0;
  #mac;

  /**
   * @param migration its random name
   * @param key the key that both ends share, if the stream is not encrypted with it already
   */
  constructor(migration: string, key: Uint8Array | null) {
    const derived = createHmac('sha256', key ?? NO_KEY)
      .update(`switchover stream\0${migration}`)
      .digest();
    this.#key = derived.subarray(0, KEY_BYTES);
    this.#mac = this.#next();
  }

  /** The next bytes: it does not matter how they are cut. */
  add(bytes: Uint8Array): void {
    this.#mac.setAAD(bytes);
  }

  /** Of all bytes since the digest before this one. */
  take(): Buffer {
    this.#mac.final();
    const digest = this.#mac.getAuthTag();
    this.#taken += 1;
    this.#mac = this.#next();
    return digest;
  }

  /** The last one: also of the guest's clock and whether it is to stay paused. */
  end(guestTimeNs: Nanos, staysPaused: boolean): Buffer {
    this.add(Buffer.from(Float64Array.of(guestTimeNs, Number(staysPaused)).buffer));
    return this.take();
  }

  #next() {
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeUInt32BE(this.#taken);
    return createCipheriv(ALGORITHM, this.#key, nonce, { authTagLength: STREAM_DIGEST_BYTES });
  }
}

/** @throws WireError what the source says of the guest is not what has come of it */
export function insistSame(said: Uint8Array, found: Buffer): void {
  if (found.equals(said)) return;
  throw new WireError('what was received of the guest differs from what was sent: wrong digest');
}
