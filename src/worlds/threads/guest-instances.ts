import { totalmem } from 'node:os';
import { Failure } from '../../platform/failure.ts';
import type { Hello } from '../../transport/hello.ts';
import type { HostedGuest } from '../../transport/hosted-guest.ts';
import { NameClaims } from '../../transport/name-claims.ts';
import { pagesNeeded, usedPages } from '../../workload/programs.ts';
import { type GuestDefinition, GuestInstance } from './guest-instance.ts';

/**
 * Reserves what a guest needs beyond its memory, for as long as it is here.
 * @returns how to give it back. @throws Failure there is no room for it
 */
export type GuestReserve = (definition: GuestDefinition) => () => void;

/** The guests that live in this process, by name. */
export class GuestInstances implements Iterable<GuestInstance> {
  readonly #here = new Map<string, GuestInstance>();
  readonly #names = new NameClaims();
  readonly #reserve: GuestReserve;
  /** Memory that is taken or about to be. */
  #bytes = 0;

  constructor(reserve: GuestReserve = () => () => {}) {
    this.#reserve = reserve;
  }

  [Symbol.iterator](): Iterator<GuestInstance> {
    return this.#here.values();
  }

  /** @throws Failure no such guest. */
  get(name: string): GuestInstance {
    const instance = this.#here.get(name);
    if (instance) return instance;
    throw new Failure(`no guest '${name}' here`);
  }

  /** Boots a guest; it waits to be taken over. @throws Failure the name is taken, or there is no room for it. */
  boot(place: GuestDefinition): Promise<GuestInstance> {
    return this.#settle(place, 'boot', 0);
  }

  /** Makes room for a guest that is to arrive. @throws Failure the name is taken, or there is no room for it. */
  async expect({ guest, heartbeats, reservation }: Hello): Promise<HostedGuest> {
    const instance = await this.#settle({ guest, heartbeats, reservation }, 'empty');
    return {
      memory: new Uint8Array(instance.memory),
      hash: () => instance.hash(),
      takeOver: (guestTimeNs, paused) => instance.takeOver(guestTimeNs, paused),
      retire: () => instance.retire(),
      discard: () => instance.end(),
      gone: instance.gone,
    };
  }

  async end(): Promise<void> {
    await Promise.all([...this.#here.values()].map((instance) => instance.end()));
  }

  /** @param waitMs how long for a guest of the same name to leave */
  async #settle(place: GuestDefinition, how: 'boot' | 'empty', waitMs?: number): Promise<GuestInstance> {
    const { guest } = place;
    if (pagesNeeded(guest.program) > usedPages(guest)) {
      throw new Failure(`a program of ${pagesNeeded(guest.program)} pages in a guest of ${usedPages(guest)}`);
    }
    const leave = await this.#names.claim(guest.name, waitMs);
    let giveBack = () => {};
    try {
      giveBack = this.#take(place);
      const instance = await GuestInstance.settle(place, how, () => {
        if (this.#here.get(instance.name) !== instance) return;
        this.#here.delete(instance.name);
        giveBack();
        leave();
      });
      this.#here.set(instance.name, instance);
      return instance;
    } catch (cause) {
      giveBack();
      leave();
      throw cause;
    }
  }

  /** @returns to be called when it has left. @throws Failure there is not enough memory, or no room otherwise */
  #take(place: GuestDefinition): () => void {
    const { pages, pageSizeBytes } = place.guest;
    const bytes = pages * pageSizeBytes;
    if (this.#bytes + bytes > totalmem() / 2) {
      const together = this.#bytes > 0 ? ', together with those that are here' : '';
      throw new Failure(
        `a guest of ${pages} pages of ${pageSizeBytes} bytes: more than half of this host${together}`,
      );
    }
    const giveBack = this.#reserve(place);
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
      giveBack();
    };
  }
}
