import { known } from '../../src/core/migration/heat.ts';
import type { OrderName } from '../../src/core/migration/order/orders.ts';
import { Random } from '../../src/core/random.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../src/core/units.ts';
import { expectedOrder } from '../../src/model/expected-order.ts';
import { portionsOfPages } from '../../src/model/portions.ts';
import type { ModelInput } from '../../src/model/predictor.ts';

export const PAGES = 6500;
const PAGE_BYTES = 4096;
/** 50 Mbit/s. */
const RATE = 6_250_000;
/** T. */
export const SLOT_SECONDS = PAGE_BYTES / RATE;
const WINDOW_NS = 40 * NANOS_PER_MILLISECOND;

/** Pages, writes a second. The population was *fitted* to the figures of the slides' table. */
const classes = [
  [286, 16.8],
  [397, 2.46],
  [383, 0.465],
  [5434, 1.5e-5],
] as const;

/** Page numbers, the hottest first: the classes lie scattered over the memory. */
export const hottestFirst = Random.seeded(11).shuffle(Uint32Array.from({ length: PAGES }, (_, page) => page));
export const writesPerSecond = new Float64Array(PAGES);
let rank = 0;
for (const [pages, rate] of classes) {
  for (let i = 0; i < pages; i++) writesPerSecond[hottestFirst[rank++]!] = rate;
}

/** How the population is sent: K rounds in an order, the hottest `held` pages being held back. */
export function migration(
  order: OrderName,
  rounds: number,
  held = 0,
  clear: 'page' | 'round' = 'page',
): ModelInput {
  const context = {
    heat: known({ writesPerSecond }, WINDOW_NS),
    slotsPerWindow: WINDOW_NS / NANOS_PER_SECOND / SLOT_SECONDS,
    random: Random.seeded(12),
  };
  const waits = new Set(hottestFirst.subarray(0, held));
  return {
    pages: PAGES,
    zeroPages: 0,
    pageSizeBytes: PAGE_BYTES,
    overheadBytes: 0,
    rateBytesPerSecond: RATE,
    stopRateBytesPerSecond: RATE,
    guest: {
      kind: 'rates',
      portions: portionsOfPages(writesPerSecond, 0, (page) => waits.has(page)),
      order: expectedOrder(order, PAGES, context),
      clear,
    },
    stop: { rule: 'rounds', rounds },
    timeoutNs: null,
  };
}
