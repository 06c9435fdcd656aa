import { changeCapacity, grantedBytesPerSecond } from '../core/link/ledger.ts';
import { type BytesPerSecond, formatRate, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { type Problem, UsageError } from '../platform/problem.ts';
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

  /**
   * Whether these capacities leave everybody something who has a reservation. A migration that loses all of its
   * reservation gives up, and nothing gives it back.
   * @throws UsageError links that are too small or missing
   */
  check(capacities: ReadonlyMap<string, BytesPerSecond>): void {
    const problems = [...this.#stores].flatMap(([name, { ledger }]): Problem[] => {
      const capacity = capacities.get(name) ?? 0;
      const after = changeCapacity(ledger, capacity, clockNs() - this.#beganAtNs);
      if (after.leases.every(({ grantedBytesPerSecond: left }) => left > 0)) return [];
      const reserved = formatRate(grantedBytesPerSecond(ledger));
      const expected = `enough for what migrations have reserved of it (${reserved}); wait for them, or cancel them`;
      return [
        {
          path: `links.${name}.capacity`,
          expected,
          found: capacities.has(name) ? formatRate(capacity) : 'nothing',
        },
      ];
    });
    if (problems.length > 0) throw new UsageError(problems);
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
