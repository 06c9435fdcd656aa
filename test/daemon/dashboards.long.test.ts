import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { committedQueries, Prometheus, substituted, withoutData } from '../../dashboards/check.ts';
import { alertSeries } from '../../dashboards/rule-series.ts';
import { Demo } from '../../examples/demo.ts';
import { has } from '../fixtures/daemons.ts';
import { MovingMachine } from '../fixtures/moving-machine.ts';
import { withoutQemu } from '../fixtures/qemu.ts';

describe.skipIf(!has('prometheus') || withoutQemu !== undefined)(
  'a Prometheus that scrapes the demonstration',
  () => {
    let machine: MovingMachine;
    let demo: Demo;
    let prometheus: Prometheus;
    const log: string[] = [];

    beforeAll(async () => {
      machine = new MovingMachine();
      demo = await Demo.start([0, 0], { watch: machine.watch });
      prometheus = await Prometheus.start(demo.addresses);
    });
    afterAll(async () => {
      await prometheus?.end();
      await demo?.end();
      await machine?.end();
    });

    test('has every series that an alert looks at before anything has happened', async () => {
      expect(await withoutData(prometheus, alertSeries(), 20_000)).toEqual([]);
      demo.drive((line) => log.push(line));
    });

    test('has data for the query of every panel', { timeout: 440_000 }, async () => {
      const queries = committedQueries();
      expect(queries.length).toBeGreaterThan(40);
      const missing = await withoutData(prometheus, queries, 400_000);
      expect(missing, log.join('\n')).toEqual([]);
    });

    test('has none for a panel that is broken', async () => {
      const [good] = committedQueries();
      const broken = [
        { ...good!, expr: good!.expr.replace('switchover_', 'switchover_not_') },
        { ...good!, expr: `${good!.expr} ++` },
      ];
      expect((await withoutData(prometheus, broken, 0)).length).toBe(2);
      // The metric is there, and this series of it never.
      const neverBorn = { ...good!, expr: 'switchover_migration_outcomes_total{outcome="unheard-of"}' };
      const [missing] = await withoutData(prometheus, [neverBorn], 0);
      expect(missing).toMatchObject({ panel: good!.panel, why: 'no data' });
      expect(() => substituted('rate(x[$__interval_ms])')).toThrow('$__interval_ms');
    });

    test('can evaluate every rule', async () => {
      const rules = await prometheus.rules();
      expect(rules.length).toBeGreaterThanOrEqual(11);
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    });
  },
);
