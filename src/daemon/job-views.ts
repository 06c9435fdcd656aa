import type { DaemonEvent, Events } from './events.ts';
import { NotFound } from './refusals.ts';

/** Of what has ended, the oldest is forgotten when there is more than this. */
const MOST_KEPT = 200;

interface JobView {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string | null;
}

/** The latest migrations or experiments as the API shows them. Those who watch are told of every change. */
export class JobViews<View extends JobView> {
  readonly #kind: Extract<DaemonEvent, { id: string }>['kind'];
  readonly #events: Events;
  readonly #forgotten: (id: string) => void;
  readonly #views = new Map<string, View>();

  constructor(kind: 'migration' | 'experiment', events: Events, forgotten: (id: string) => void = () => {}) {
    this.#kind = kind;
    this.#events = events;
    this.#forgotten = forgotten;
  }

  add(view: View): void {
    this.#views.set(view.id, view);
    for (const [id, { endedAt }] of this.#views) {
      if (this.#views.size <= MOST_KEPT) break;
      if (endedAt === null) continue;
      this.#views.delete(id);
      this.#forgotten(id);
    }
    this.publish(view.id);
  }

  /** @throws NotFound */
  get(id: string): View {
    const view = this.#views.get(id);
    if (view) return view;
    throw new NotFound(`no such ${this.#kind}`);
  }

  /** The latest first. */
  list(): readonly View[] {
    return [...this.#views.values()].reverse();
  }

  change(id: string, change: Partial<View>): void {
    this.update(id, change);
    this.publish(id);
  }

  /** A change of which those who watch hear with the next one. */
  update(id: string, change: Partial<View>): void {
    this.#views.set(id, { ...this.get(id), ...change });
  }

  publish(id: string): void {
    this.#events.publish({ kind: this.#kind, id, value: this.get(id) });
  }
}
