import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { committedQueries, Prometheus, substituted, withoutData } from '../../dashboards/check.ts';
import { Demo } from '../../examples/demo.ts';
import { has } from '../fixtures/daemons.ts';

describe.skipIf(!has('prometheus'))('a Prometheus that scrapes the demonstration', () => {
  let demo: Demo;
  let prometheus: Prometheus;
  const log: string[] = [];

  beforeAll(async () => {
    demo = await Demo.start();
    prometheus = await Prometheus.start(demo.addresses);
    demo.drive((line) => log.push(line));
  });
  afterAll(async () => {
    await prometheus?.end();
    await demo?.end();
  });

  test('has data for the query of every panel', { timeout: 170_000 }, async () => {
    const queries = committedQueries();
    expect(queries.length).toBeGreaterThan(40);
    const missing = await withoutData(prometheus, queries, 150_000);
    expect(missing, log.join('\n')).toEqual([]);
  });

  test('has none for a panel that is broken', async () => {
    const [good] = committedQueries();
    const broken = [
      { ...good!, expr: good!.expr.replace('switchover_', 'switchover_not_') },
      { ...good!, expr: `${good!.expr} ++` },
    ];
    expect((await withoutData(prometheus, broken, 0)).length).toBe(2);
    expect(() => substituted('rate(x[$__interval_ms])')).toThrow('$__interval_ms');
  });

  test('can evaluate every rule', async () => {
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThanOrEqual(11);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});
