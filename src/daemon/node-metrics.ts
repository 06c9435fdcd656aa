import { collectDefaultMetrics, Registry } from 'prom-client';

/** The metrics that Node has of the calling thread and its process; their names are not ours to choose. */
export class NodeMetrics {
  readonly #registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  scrape(): Promise<string> {
    return this.#registry.metrics();
  }
}
