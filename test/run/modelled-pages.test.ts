import { describe, expect, test } from 'vitest';
import type { OrderName } from '../../src/core/migration/order/orders.ts';
import { predict } from '../../src/run/predict.ts';
import { experimentOf } from '../../src/scenario/scenario.ts';

/** A scenario's only cell. */
function cellOf(guest: object, order: OrderName | undefined, migration: object = {}) {
  const stop = { rule: 'rounds', rounds: 3 };
  const base = {
    guest,
    link: { rate: '100Gbit/s' },
    migration: { heat: 'known', stop, ...(order && { order }), ...migration },
  };
  return experimentOf({
    name: 'scenario',
    file: undefined,
    base,
    compare: undefined,
    sweep: undefined,
    stress: undefined,
  }).cells[0]!;
}

const hot = { pages: 20_000, writesPerSecond: 40 };
const cold = { pages: 60_000, writesPerSecond: 0.5 };

describe('a guest in classes', () => {
  test('has the same prediction whatever its classes are cut into', () => {
    const halves = [hot, cold].flatMap(({ pages, writesPerSecond }) => [
      { pages: pages / 4, writesPerSecond },
      { pages: (3 * pages) / 4, writesPerSecond },
    ]);
    for (const order of ['address', 'random', 'lru', 'decreasing', 'threshold'] as const) {
      const [one, other] = [[hot, cold], halves].map(
        (classes) =>
          predict(cellOf({ pages: 100_000, zeroPages: 10_000, program: { kind: 'classes', classes } }, order))
            .course,
      );
      expect(other!.downtimeNs! / one!.downtimeNs!).toBeCloseTo(1, 3);
      expect(other!.totalNs! / one!.totalNs!).toBeCloseTo(1, 5);
    }
  });

  test('ten thousand times as large over a link ten thousand times as fast takes as long', () => {
    const scaled = (factor: number) => {
      const classes = [hot, cold].map(({ pages, writesPerSecond }) => ({
        pages: (pages * factor) / 10_000,
        writesPerSecond,
      }));
      const guest = { pages: 10 * factor, program: { kind: 'classes', classes } };
      const cell = cellOf(guest, 'address');
      const rate = factor * 10_000;
      return predict({
        ...cell,
        plan: { ...cell.plan, rateBytesPerSecond: rate, stopRateBytesPerSecond: rate },
      }).course;
    };
    expect(scaled(20_000_000).downtimeNs! / scaled(20_000).downtimeNs!).toBeCloseTo(1, 2);
    expect(scaled(20_000_000).totalNs! / scaled(20_000).totalNs!).toBeCloseTo(1, 3);
  });
});

describe('page by page is predicted', () => {
  test('an order that the model cannot ask of strata, up to 16,777,216 pages', () => {
    const program = { kind: 'classes', classes: [{ pages: 100, writesPerSecond: 5 }] };
    expect(predict(cellOf({ pages: 400, program }, 'ends')).course.converges).toBe(true);
    const tooLarge = cellOf({ pages: 2 ** 24 + 1, program }, 'address');
    expect(() => predict({ ...tooLarge, plan: { ...tooLarge.plan, order: 'ends' } })).toThrow(
      'guest.pages: order ends is predicted page by page, at most 16777216; found 16777217',
    );
  });
});
