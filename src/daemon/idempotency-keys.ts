import { createHash } from 'node:crypto';
import { clockNs } from '../platform/clock.ts';
import { BadRequest } from './refusals.ts';

/** How long an answer is remembered, and how many at most: the oldest is forgotten first. */
const REMEMBERED_NS = 24 * 3600e9;
const MOST_REMEMBERED = 1_000;

/** What a request has brought about, as it was answered. */
interface Outcome {
  readonly body: unknown;
  readonly location: string | undefined;
}

interface Remembered {
  readonly digest: string;
  readonly atNs: number;
  readonly outcome: Promise<Outcome>;
}

/**
 * Requests that carry a key of their own (`Idempotency-Key`, draft-ietf-httpapi-idempotency-key-header) are carried out
 * once, however often they are sent: the others get the answer of the first, also while it is still being carried out.
 * What was refused has changed nothing, and is tried anew.
 */
export class IdempotencyKeys {
  readonly #remembered = new Map<string, Remembered>();
  readonly #most: number;

  constructor(most = MOST_REMEMBERED) {
    this.#most = most;
  }

  /**
   * @param what the request: with another under the same key something is wrong
   * @throws BadRequest the key is none, or is another request's
   */
  async once(
    key: string,
    what: string,
    act: () => Promise<Outcome>,
  ): Promise<Outcome & { readonly isRepeated: boolean }> {
    if (!/^[\x21-\x7e]{1,255}$/.test(key))
      throw new BadRequest(400, 'idempotency-key: expected 1 to 255 visible ASCII characters');
    const digest = createHash('sha256').update(what).digest('base64');
    const known = this.#known(key);
    if (known && known.digest !== digest)
      throw new BadRequest(422, 'idempotency-key: another request was sent with it; expected a new key');
    const isRepeated = known !== undefined;
    const { outcome } = known ?? this.#remember(key, { digest, atNs: clockNs(), outcome: act() });
    return { ...(await outcome), isRepeated };
  }

  #known(key: string): Remembered | undefined {
    const known = this.#remembered.get(key);
    return known && clockNs() - known.atNs < REMEMBERED_NS ? known : undefined;
  }

  #remember(key: string, remembered: Remembered): Remembered {
    this.#remembered.delete(key);
    this.#remembered.set(key, remembered);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= this.#most) break;
      this.#remembered.delete(oldest);
    }
    remembered.outcome.catch(() => {
      if (this.#remembered.get(key) === remembered) this.#remembered.delete(key);
    });
    return remembered;
  }
}
