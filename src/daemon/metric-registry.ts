import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from './metric-table.ts';

export type Labels = Readonly<Record<string, string>>;
export type Values<Key extends string> = Readonly<Partial<Record<Key, number | null | undefined>>>;

/** The metrics of a table, in a registry of their own. */
export class MetricRegistry<Key extends string> {
  readonly #own = new Registry();
  readonly #made: Readonly<Record<Key, Counter | Gauge | Histogram>>;

  constructor(table: Readonly<Record<Key, Metric>>) {
    const made = Object.entries<Metric>(table).map(([key, metric]) => [key, this.#make(metric)]);
    this.#made = Object.fromEntries(made) as Record<Key, Counter | Gauge | Histogram>;
  }

  get contentType(): string {
    return this.#own.contentType;
  }

  /** All of them, as Prometheus reads them. */
  text(): Promise<string> {
    return this.#own.metrics();
  }

  /** Counts, observes or sets each of these metrics under these labels, unless it is not known. */
  note(labels: Labels, values: Values<Key>): void {
    for (const [key, value] of Object.entries<number | null | undefined>(values)) {
      if (value === null || value === undefined) continue;
      const metric = this.#made[key as Key];
      if (metric instanceof Counter) metric.inc(labels, value);
      else if (metric instanceof Histogram) metric.observe(labels, value);
      else metric.set(labels, value);
    }
  }

  /** Of the latest migration; what is not known of it is absent, and not what an earlier one left. */
  noteLatest(labels: Labels, values: Values<Key>): void {
    for (const [key, value] of Object.entries<number | null | undefined>(values)) {
      if (value === null || value === undefined) this.#made[key as Key].remove(labels);
    }
    this.note(labels, values);
  }

  /** One metric under several values of a label. */
  noteEach(metric: Key, labels: Labels, label: string, values: Readonly<Record<string, number>>): void {
    for (const [value, number] of Object.entries(values))
      this.note({ ...labels, [label]: value }, { [metric]: number } as Values<Key>);
  }

  /** What was noted of these is gone. */
  forget(...metrics: readonly Key[]): void {
    for (const metric of metrics) this.#made[metric].reset();
  }

  /** A histogram of which nothing has been observed is there, and empty. */
  zero(histogram: Key, labels: Labels): void {
    (this.#made[histogram] as Histogram).zero(labels);
  }

  #make({ kind, name, help, labels, buckets = [] }: Metric): Counter | Gauge | Histogram {
    const of = { name, help, labelNames: [...labels], registers: [this.#own] };
    if (kind === 'histogram') return new Histogram({ ...of, buckets: [...buckets] });
    return kind === 'counter' ? new Counter(of) : new Gauge(of);
  }
}
