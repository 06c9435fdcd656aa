import type { ApiSettings } from './api-settings.ts';
import type { Counted } from './metrics-feed.ts';
import type { MigrationView } from './migration-schemas.ts';
import type { ExperimentView, GuestView, LinkView } from './view-schemas.ts';
import type { WatchedMachineView, WatchedView } from './watch-schemas.ts';

/** What happens at a host, as those who watch are told. */
export type HostEvent =
  | { readonly kind: 'guests'; readonly value: readonly GuestView[] }
  | { readonly kind: 'links'; readonly value: readonly LinkView[] }
  /** Why nothing can be written down. null: it can. */
  | { readonly kind: 'degraded'; readonly value: string | null }
  | { readonly kind: 'migration'; readonly id: string; readonly value: MigrationView }
  | { readonly kind: 'experiment'; readonly id: string; readonly value: ExperimentView }
  | { readonly kind: 'watched'; readonly value: WatchedView }
  /** It is not watched any more. */
  | { readonly kind: 'unwatched'; readonly name: string }
  /** Who had a processor since the last one, and how full the bucket is, while a migration runs. */
  | { readonly kind: 'pulse'; readonly id: string; readonly value: unknown };

/** What the host tells the thread of the API. */
export type HostNews =
  | HostEvent
  | Counted
  | { readonly kind: 'settings'; readonly value: ApiSettings }
  /** A watched machine with its past, of which those who watch are told the present only. */
  | { readonly kind: 'followed'; readonly value: WatchedMachineView };

type Watcher = (news: HostNews) => void;

/** Tells everybody who watches. Nobody is waited for, and nothing is kept for those who come later. */
export class Events {
  readonly #watchers = new Set<Watcher>();

  publish(news: HostNews): void {
    for (const watcher of this.#watchers) watcher(news);
  }

  /** @returns how to stop watching */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
