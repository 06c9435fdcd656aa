import { describe, expect, test } from 'vitest';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';
import { formatTarget, parseTarget } from '../../src/scenario/target.ts';

describe('a target', () => {
  const downtime = { metric: 'downtime', limitNs: 200e6, probability: 0.99 };

  test('is read as people write it', () => {
    for (const text of [
      'downtime<=200ms@0.99',
      ' Downtime <= 200 ms @ 99% ',
      'downtime ≤ 0.2s',
      'downtime<200ms',
    ]) {
      expect(parseTarget(text), text).toEqual([downtime]);
    }
    const both = parseTarget('downtime <= 200ms @ 0.99, total <= 30s @ 0.95')!;
    expect(both).toEqual([downtime, { metric: 'total', limitNs: 30e9, probability: 0.95 }]);
    expect(parseTarget(formatTarget(both))).toEqual(both);
  });

  test('is refused where it is none', () => {
    const none = [
      '',
      'downtime',
      'downtime<=0ms',
      'downtime<=200',
      'latency<=1s',
      'downtime>=1s',
      'total<=1s@1',
    ];
    const twice = ['downtime<=1s, downtime<=2s', 'downtime<=1s,', 'downtime<=1s@0.9@0.9', 'total<=1s@200%'];
    for (const text of [...none, ...twice]) expect(parseTarget(text), text).toBeUndefined();
  });

  test('may stand in the scenario', () => {
    const document = (target: unknown) => ({
      guest: { pages: 8, program: { kind: 'sequential', writesPerSecond: 1 } },
      link: { rate: '1Mbit/s' },
      target,
    });
    const read = (target: unknown) => experimentOf(scenarioOf(document(target), { name: 'x' }));
    expect(read('downtime<=200ms@0.99').target).toEqual([downtime]);
    expect(read(undefined).target).toBeUndefined();
    expect(() => read('soon')).toThrow(/^target: expected a target such as downtime<=200ms@0.99/);
  });
});
