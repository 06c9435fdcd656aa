interface Rules<T> {
  readonly most: number;
  readonly hasEnded: (item: T) => boolean;
  readonly forgotten?: (item: T) => void;
}

/** The latest of something by id: of what has ended, the oldest is forgotten when there is too much. */
export class History<T> {
  readonly #items = new Map<string, T>();
  readonly #rules: Rules<T>;

  constructor(rules: Rules<T>) {
    this.#rules = rules;
  }

  add(id: string, item: T): void {
    const { most, hasEnded, forgotten } = this.#rules;
    this.#items.set(id, item);
    for (const [old, item] of this.#items) {
      if (this.#items.size <= most) return;
      if (!hasEnded(item)) continue;
      this.#items.delete(old);
      forgotten?.(item);
    }
  }

  get(id: string): T | undefined {
    return this.#items.get(id);
  }

  /** The latest first. */
  all(): readonly T[] {
    return [...this.#items.values()].reverse();
  }
}
