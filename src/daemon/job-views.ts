import type { Events, HostEvent } from './events.ts';
import { type JobView, LatestViews } from './latest-views.ts';
import type { MigrationView } from './migration-schemas.ts';
import type { ExperimentView } from './view-schemas.ts';

/** The kinds of jobs, and how each is shown. */
interface JobKinds {
  migration: MigrationView;
  experiment: ExperimentView;
}

/** The latest migrations or experiments. Those who watch are told of every change. */
export class JobViews<Kind extends keyof JobKinds> {
  readonly #kind: Kind;
  readonly #events: Events;
  readonly #forgotten: (id: string) => void;
  readonly #views: LatestViews<JobKinds[Kind] & JobView>;

  constructor(kind: Kind, events: Events, forgotten: (id: string) => void = () => {}) {
    this.#kind = kind;
    this.#events = events;
    this.#forgotten = forgotten;
    this.#views = new LatestViews(kind);
  }

  add(view: JobKinds[Kind]): void {
    this.#put(view);
    this.publish(view.id);
  }

  /** @throws NotFound */
  get(id: string): JobKinds[Kind] {
    return this.#views.get(id);
  }

  /** The latest first. */
  list(): readonly JobKinds[Kind][] {
    return this.#views.list();
  }

  change(id: string, change: Partial<JobKinds[Kind]>): void {
    this.update(id, change);
    this.publish(id);
  }

  /** A change of which those who watch hear with the next one. */
  update(id: string, change: Partial<JobKinds[Kind]>): void {
    this.#put({ ...this.get(id), ...change });
  }

  publish(id: string): void {
    this.#events.publish(this.#told(this.get(id)));
  }

  /** All of them as events, the oldest first: for those who begin to watch. */
  retold(): readonly HostEvent[] {
    return this.list()
      .toReversed()
      .map((view) => this.#told(view));
  }

  #told(value: JobKinds[Kind]): HostEvent {
    return { kind: this.#kind, id: value.id, value } as HostEvent;
  }

  #put(view: JobKinds[Kind]): void {
    for (const id of this.#views.put(view)) this.#forgotten(id);
  }
}
