import { Bench } from 'tinybench';
import { frequency, recency } from '../src/core/migration/heat.ts';
import { orders } from '../src/core/migration/order/orders.ts';
import { PageSet } from '../src/core/migration/pages.ts';
import { Random } from '../src/core/random.ts';

/** Page sets and page orders at the size of the slides' guest and at 2,000,000 pages (8 GiB). */
export async function arithmetic(): Promise<void> {
  for (const pages of [6_500, 2_000_000]) {
    const random = Random.seeded(1);
    const all = PageSet.all(pages);
    const some = PageSet.of(
      pages,
      Array.from({ length: pages / 10 }, () => random.below(pages)),
    );
    const heat = frequency(pages, 8e9);
    const recent = recency(pages);
    for (let window = 0; window < 20; window++) {
      const dirty = PageSet.of(
        pages,
        Array.from({ length: pages / 20 }, () => random.below(pages)),
      );
      heat.see(dirty, 40e6);
      recent.see(dirty, 40e6);
    }
    const bench = new Bench({ time: 300, warmupTime: 50 });
    bench.add('union', () => all.copy().addAll(some));
    bench.add('count', () => some.count());
    bench.add('each', () => {
      let sum = 0;
      some.each((page) => {
        sum += page;
      });
      return sum;
    });
    for (const name of ['address', 'random', 'lru', 'frequency', 'increasing'] as const) {
      const context = { heat: name === 'lru' ? recent : heat, slotsPerWindow: 61, random };
      bench.add(`order ${name}`, () => orders[name].order(all, context));
    }
    await bench.run();
    console.log(`${pages.toLocaleString('en')} pages: median of each`);
    for (const { name, result } of bench.tasks) {
      const ms = 'latency' in result ? result.latency.p50 : Number.NaN;
      console.log(`  ${name.padEnd(18)} ${ms < 1 ? `${(ms * 1e3).toFixed(1)} µs` : `${ms.toFixed(1)} ms`}`);
    }
  }
}
