import { changeCapacity, grantedBytesPerSecond, isRevoked, revokeAll } from '../core/link/ledger.ts';
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
      const capacity = capacities.get(name);
      const after =
        capacity === undefined
          ? revokeAll(ledger)
          : changeCapacity(ledger, capacity, clockNs() - this.#beganAtNs);
      if (!after.leases.some(isRevoked)) return [];
      const reserved = formatRate(grantedBytesPerSecond(ledger));
      const expected = `enough for what migrations have reserved of it (${reserved}); wait for them, or cancel them`;
      return [
        {
          path: `links.${name}.capacity`,
          expected,
          found: capacity === undefined ? 'nothing' : formatRate(capacity),
        },
      ];
    });
    if (problems.length > 0) throw new UsageError(problems);
  }

  /** Those that are not named any more have nothing left, and what was granted of them is revoked. */
  change(capacities: ReadonlyMap<string, BytesPerSecond>): void {
    for (const [name, store] of this.#stores) {
      const capacity = capacities.get(name);
      if (capacity === undefined) {
        store.apply(revokeAll);
        this.#stores.delete(name);
      } else if (capacity !== store.ledger.capacityBytesPerSecond)
        store.apply((ledger, now) => changeCapacity(ledger, capacity, now));
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
