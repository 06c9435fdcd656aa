import { Failure } from '../../platform/failure.ts';
import { MemoryRoom } from '../../platform/memory-room.ts';
import type { Hello } from '../../transport/hello.ts';
import type { HostedGuest } from '../../transport/hosted-guest.ts';
import { NameClaims } from '../../transport/name-claims.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';
import { checkProgramFits } from '../../workload/programs.ts';
import { GuestInstance, type InstanceOptions } from './guest-instance.ts';

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
  readonly #memory = new MemoryRoom();
  readonly #segmentBytes: number | undefined;

  /** @param segmentBytes of the segments in which the guests' memory lies; without, the largest that can be */
  constructor(reserve: GuestReserve = () => () => {}, segmentBytes?: number) {
    this.#reserve = reserve;
    this.#segmentBytes = segmentBytes;
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
  boot(definition: GuestDefinition): Promise<GuestInstance> {
    return this.#create({ definition, heartbeats: null, how: 'boot' }, 0);
  }

  /** Makes room for a guest that will be received. @throws Failure the name is taken, or there is no room for it. */
  async expect({ guest, heartbeats, reservation }: Hello): Promise<HostedGuest> {
    const instance = await this.#create({ definition: { guest, reservation }, heartbeats, how: 'empty' });
    return {
      memory: instance.memory,
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

  /** @param waitMs how long for a guest of the same name to release it */
  async #create(options: InstanceOptions, waitMs?: number): Promise<GuestInstance> {
    const { definition } = options;
    const { guest } = definition;
    checkProgramFits(guest);
    const releaseName = await this.#names.claim(guest.name, waitMs);
    let giveBack = () => {};
    try {
      giveBack = this.#take(definition);
      const ended = () => {
        if (this.#here.get(instance.name) !== instance) return;
        this.#here.delete(instance.name);
        giveBack();
        releaseName();
      };
      const instance = await GuestInstance.create({ ...options, segmentBytes: this.#segmentBytes, ended });
      this.#here.set(instance.name, instance);
      return instance;
    } catch (cause) {
      giveBack();
      releaseName();
      throw cause;
    }
  }

  /** @returns to be called when it has left. @throws Failure there is not enough memory, or no room otherwise */
  #take(place: GuestDefinition): () => void {
    const { pages, pageSizeBytes } = place.guest;
    const giveMemoryBack = this.#memory.take(pages * pageSizeBytes);
    try {
      const giveBack = this.#reserve(place);
      return () => {
        giveMemoryBack();
        giveBack();
      };
    } catch (cause) {
      giveMemoryBack();
      throw cause;
    }
  }
}
