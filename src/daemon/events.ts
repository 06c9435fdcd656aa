/** What those who watch are told. */
export type DaemonEvent =
  | { readonly kind: 'guests' | 'links' | 'degraded'; readonly value: unknown }
  /** A pulse: who had a processor since the last one, and how full the bucket is, while a migration runs. */
  | { readonly kind: 'migration' | 'experiment' | 'pulse'; readonly id: string; readonly value: unknown };

type Watcher = (event: DaemonEvent) => void;

/** Tells everybody who watches. Nobody is waited for, and nothing is kept for those who come later. */
export class Events {
  readonly #watchers = new Set<Watcher>();

  publish(event: DaemonEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  /** @returns how to stop watching */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get watchers(): number {
    return this.#watchers.size;
  }
}
