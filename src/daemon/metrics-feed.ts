import type { Metrics } from './metrics.ts';

/** What the host counts. */
type CountedBy = 'ended' | 'held' | 'last' | 'waited' | 'sentOver' | 'reloaded' | 'watchedEnded';

/** Something to be counted, by a method of `Metrics`. */
export type Counted = {
  [Method in CountedBy]: {
    readonly kind: 'counted';
    readonly by: Method;
    readonly args: Parameters<Metrics[Method]>;
  };
}[CountedBy];

/** What the host counts is told to the thread that has the metrics: to count takes longer than to tell. */
export class MetricsFeed implements Pick<Metrics, CountedBy> {
  readonly #tell: (counted: Counted) => void;

  constructor(tell: (counted: Counted) => void) {
    this.#tell = tell;
  }

  ended(...args: Parameters<Metrics['ended']>): void {
    this.#tell({ kind: 'counted', by: 'ended', args });
  }

  held(...args: Parameters<Metrics['held']>): void {
    this.#tell({ kind: 'counted', by: 'held', args });
  }

  last(...args: Parameters<Metrics['last']>): void {
    this.#tell({ kind: 'counted', by: 'last', args });
  }

  waited(...args: Parameters<Metrics['waited']>): void {
    this.#tell({ kind: 'counted', by: 'waited', args });
  }

  sentOver(...args: Parameters<Metrics['sentOver']>): void {
    this.#tell({ kind: 'counted', by: 'sentOver', args });
  }

  watchedEnded(...args: Parameters<Metrics['watchedEnded']>): void {
    this.#tell({ kind: 'counted', by: 'watchedEnded', args });
  }

  reloaded(...args: Parameters<Metrics['reloaded']>): void {
    this.#tell({ kind: 'counted', by: 'reloaded', args });
  }
}

/** Counts what was told. */
export function count(metrics: Pick<Metrics, CountedBy>, { by, args }: Counted): void {
  (metrics[by] as (...args: Counted['args']) => void)(...args);
}
