import { formatSize } from '../core/units.ts';
import { Failure } from './failure.ts';
import { type Limit, memoryLimits } from './machine-limits.ts';

/** What the program itself may come to need besides guests. */
const HEADROOM_BYTES = 32 * 2 ** 20;

/** Memory that guests have taken of this process, or are about to. It is asked for before any of it is allocated. */
export class MemoryRoom {
  readonly #limits: () => readonly Limit[];
  #takenBytes = 0;

  constructor(limits: () => readonly Limit[] = memoryLimits) {
    this.#limits = limits;
  }

  /** @returns how to give it back, as often as one likes. @throws Failure guests would have more than half, or it is not free */
  take(bytes: number): () => void {
    insistOnMemory(bytes, 'a guest', { share: 1 / 2, takenBytes: this.#takenBytes, limits: this.#limits() });
    this.#takenBytes += bytes;
    let isTaken = true;
    return () => {
      if (isTaken) this.#takenBytes -= bytes;
      isTaken = false;
    };
  }
}

interface Asked {
  /** Of each limit, for all guests together. */
  readonly share?: number;
  readonly takenBytes?: number;
  readonly limits?: readonly Limit[];
}

/** @param what needs it. @throws Failure there is not that much, with the figures */
export function insistOnMemory(
  bytes: number,
  what: string,
  { share = 1, takenBytes = 0, limits = memoryLimits() }: Asked = {},
): void {
  const refuse = (why: string, by: string) => {
    throw new Failure(`not enough memory for ${what} of ${formatSize(bytes)}: ${why} (${by})`);
  };
  for (const { most, left, by } of limits) {
    const taken = takenBytes > 0 ? `, and ${formatSize(takenBytes)} are taken` : '';
    const mostText = `guests may have ${formatSize(share * most)} of ${formatSize(most)}${taken}`;
    if (takenBytes + bytes > share * most) refuse(mostText, by);
    const leftText = `${formatSize(Math.max(0, left))} of ${formatSize(most)} are free, and ${formatSize(HEADROOM_BYTES)} have to stay free`;
    if (bytes > left - HEADROOM_BYTES) refuse(leftText, by);
  }
}
