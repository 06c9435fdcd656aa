import { describe, expect, test } from 'vitest';
import { apart } from '../../../src/study/findings/plots/draw.ts';
import { linesOf } from '../../../src/study/findings/plots/end-labels.ts';
import { scaleOf, ticksOf } from '../../../src/study/findings/plots/scale.ts';
import { quantityOf, settingAxis } from '../../../src/study/findings/quantities.ts';

describe('an axis', () => {
  test('has the name of a quantity and its unit, and no key of a scenario or of a record', () => {
    expect(settingAxis('link.rate', ['50Mbit/s', '2.5Mbit/s']).label).toBe('rate of the link b, Mbit/s');
    expect(settingAxis('plan.stopRateBytesPerSecond', ['400Mbit/s']).label).toBe(
      'rate in the stop b_d, Mbit/s',
    );
    expect(settingAxis('sender.budgetNs', ['2ms']).label).toBe("the sender's budget Q, ms");
    expect(settingAxis('background.0.count', ['0', '8']).label).toBe('competing programs');
    expect(quantityOf('migration.observeWindowNs')).toBe('observe window');
  });

  test('has values without the unit that it names, and with it where units differ', () => {
    const { shown } = settingAxis('link.rate', ['50Mbit/s', '100Mbit/s']);
    expect(shown('50Mbit/s')).toBe('50');
    const mixed = settingAxis('link.rate', ['50Mbit/s', '1Gbit/s']);
    expect([mixed.label, mixed.shown('1Gbit/s')]).toEqual(['rate of the link b', '1Gbit/s']);
    expect(settingAxis('migration.order', ['lru', 'address']).shown('lru')).toBe('lru');
  });

  test('is logarithmic where values span decades, and linear from 0 otherwise', () => {
    expect(scaleOf([50, 300])).toMatchObject({ type: 'linear', edge: undefined });
    expect(scaleOf([50, 300]).domain[0]).toBe(0);
    expect(scaleOf([0.8, 482])).toMatchObject({ type: 'log', edge: undefined });
    expect(scaleOf([0, 0])).toMatchObject({ type: 'linear', domain: [0, 1] });
  });

  test('that is logarithmic has 0 at its edge, and says what that is', () => {
    const { type, at, edge, domain } = scaleOf([0, 3, 300]);
    expect([type, edge, at(0), domain[0]]).toEqual(['log', 0.3, 0.3, 0.3]);
    expect(at(3)).toBe(3);
  });

  test('has ticks only within its domain', () => {
    const scale = scaleOf([2, 200]);
    const { ticks = [] } = ticksOf(scale);
    expect(ticks).toEqual([3, 10, 30, 100]);
    expect(ticksOf(scaleOf([1, 2]))).toEqual({});
  });
});

describe('a label', () => {
  test('is shown whole, on as many lines as it needs', () => {
    const name = 'scheduler cbs-hard, guest.reservation 4ms every 10ms, sender.reservation 5ms every 10ms';
    const lines = linesOf(name);
    expect(lines.join(' ')).toBe(name);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(32);
  });

  test('is left out where it would lie on another one', () => {
    const points = [0, 5, 20, 24, 50].map((x) => ({ x, y: 0 }));
    expect(apart(points, 18).map(({ x }) => x)).toEqual([0, 20, 50]);
  });
});
