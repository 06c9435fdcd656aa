import { changeCapacity } from '../core/link/ledger.ts';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { type MemoryStore, memoryStore } from '../run/memory-store.ts';

/** The links of the configuration, each with its ledger, all on one clock. */
export class Links implements Iterable<[string, MemoryStore]> {
  readonly #stores = new Map<string, MemoryStore>();
  readonly #beganAtNs: Nanos;
  readonly #changed: () => void;

  /**
   * @param beganAtNs where their clock begins, by this host's
   * @param changed told after every change of a ledger
   */
  constructor(capacities: ReadonlyMap<string, BytesPerSecond>, beganAtNs: Nanos, changed: () => void) {
    this.#beganAtNs = beganAtNs;
    this.#changed = changed;
    this.change(capacities);
  }

  /** Those that are not named any more have nothing left, and what was granted of them is revoked. */
  change(capacities: ReadonlyMap<string, BytesPerSecond>): void {
    for (const [name, store] of this.#stores) {
      const capacity = capacities.get(name) ?? 0;
      if (capacity !== store.ledger.capacityBytesPerSecond)
        store.apply((ledger, now) => changeCapacity(ledger, capacity, now));
      if (!capacities.has(name)) this.#stores.delete(name);
    }
    for (const [name, capacity] of capacities) {
      if (!this.#stores.has(name))
        this.#stores.set(name, memoryStore(capacity, this.#beganAtNs, this.#changed));
    }
  }

  get(name: string): MemoryStore | undefined {
    return this.#stores.get(name);
  }

  [Symbol.iterator](): Iterator<[string, MemoryStore]> {
    return this.#stores.entries();
  }
}
