import type { JobKind } from './job.ts';
import { NotFound } from './refusals.ts';

/** Of what has ended, the oldest is forgotten when there is more than this. */
const MOST_KEPT = 200;

export interface JobView {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string | null;
}

/** The latest migrations or experiments as the API shows them. */
export class LatestViews<View extends JobView> {
  readonly #kind: JobKind;
  readonly #views = new Map<string, View>();

  constructor(kind: JobKind) {
    this.#kind = kind;
  }

  /** @returns the ids of what is forgotten for it, if it is new */
  put(view: View): readonly string[] {
    this.#views.set(view.id, view);
    const forgotten: string[] = [];
    for (const [id, { endedAt }] of this.#views) {
      if (this.#views.size <= MOST_KEPT) break;
      if (endedAt === null || id === view.id) continue;
      this.#views.delete(id);
      forgotten.push(id);
    }
    return forgotten;
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
}
