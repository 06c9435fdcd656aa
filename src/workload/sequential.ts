import { NANOS_PER_SECOND } from '../core/units.ts';
import { type Activity, numberedWrites, type Program } from './program.ts';
import { scattered } from './scatter.ts';

/**
 * Writes `pages` pages one after another at a steady rate, and again from the start. So in a time t it dirties
 * min(rate · t, pages) different pages: straight up, then saturated. `sequential` takes neighbours in their order;
 * a `saturating` working set is scattered over the memory.
 */
export interface SequentialSpec {
  readonly kind: 'sequential' | 'saturating';
  readonly pages: number;
  readonly writesPerSecond: number;
}

function layoutOf({ kind }: SequentialSpec, pages: number, seed: number): Uint32Array | undefined {
  return kind === 'saturating' ? scattered(pages, seed) : undefined;
}

/** Write number k (from 0) is due at (k + 1) / rate and goes to page k mod n. */
export function sequentialProgram(spec: SequentialSpec, pages: number, seed: number): Program {
  const layout = layoutOf(spec, pages, seed);
  const gapNs = NANOS_PER_SECOND / spec.writesPerSecond;
  return numberedWrites(
    (k) => (k + 1) * gapNs,
    (k) => layout?.[k % spec.pages] ?? k % spec.pages,
  );
}

export function sequentialActivity(spec: SequentialSpec, pages: number, seed: number): Activity {
  const layout = layoutOf(spec, pages, seed);
  const gapNs = NANOS_PER_SECOND / spec.writesPerSecond;
  return {
    kind: 'timeline',
    lastWrites(fromNs, toNs, visit) {
      const after = Math.floor(toNs / gapNs);
      const first = Math.max(Math.floor(fromNs / gapNs), after - spec.pages);
      for (let write = first; write < after; write++) {
        const place = write % spec.pages;
        visit(layout?.[place] ?? place, (write + 1) * gapNs);
      }
    },
    writesPerSecond() {
      const rates = new Float64Array(pages);
      for (let place = 0; place < spec.pages; place++) {
        rates[layout?.[place] ?? place] = spec.writesPerSecond / spec.pages;
      }
      return rates;
    },
  };
}
