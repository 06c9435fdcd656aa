import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtFiles } from '../../dashboards/built.ts';
import { dashboardNames, queriesOf } from '../../dashboards/check.ts';
import { node } from '../../dashboards/node-metrics.ts';
import { alertSeries } from '../../dashboards/rule-series.ts';
import { daemonMetricTable } from '../../src/daemon/daemon-metric-table.ts';
import { has } from '../fixtures/daemons.ts';

const root = resolve(import.meta.dirname, '../..');
const promtool = has('promtool');

test.each([...builtFiles().keys()])('%s is what the code builds', (path) => {
  expect(readFileSync(join(root, path), 'utf8'), 'npm run build:dashboards').toBe(builtFiles().get(path));
});

describe('every dashboard', () => {
  const dashboards = dashboardNames.map((name) =>
    JSON.parse(readFileSync(join(root, `dashboards/${name}.json`), 'utf8')),
  );

  test('has an identity of its own, no id of one Grafana, and variables for data source and instance', () => {
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboardNames.length);
    for (const { id, templating } of dashboards) {
      expect(id).toBeNull();
      expect(templating.list.map(({ name }: { name: string }) => name)).toEqual(['datasource', 'instance']);
    }
  });

  test('says of every panel what it shows and in which unit, and has no limit but its own', () => {
    const panels = dashboards.flatMap(({ panels }) => panels).filter(({ type }) => type !== 'row');
    expect(panels.length).toBeGreaterThan(40);
    for (const { type, title, description, fieldConfig, options } of panels) {
      expect(description, title).toMatch(/^.{10,}[.?]$/);
      const unit = type === 'heatmap' ? options.yAxis.unit : fieldConfig.defaults.unit;
      expect(unit, title).toMatch(/^\w+$/);
      const [base, limit, ...more] = fieldConfig.defaults.thresholds.steps;
      expect([base.value, more], title).toEqual([null, []]);
      expect(limit?.value, `Grafana's own limit: ${title}`).not.toBe(80);
      expect(base.color === 'text', title).toBe(limit === undefined);
    }
  });

  test('has a quantile only where there were enough migrations for it', () => {
    const quantiles = dashboards.flatMap(queriesOf).filter(({ expr }) => expr.includes('histogram_quantile'));
    expect(quantiles.length).toBeGreaterThan(10);
    for (const { panel, expr } of quantiles) expect(expr, panel).toMatch(/ and sum by .*_count.* >= (6|20)$/);
  });

  test('leads from a single migration to the page of its daemon', () => {
    const panels = dashboards.flatMap(({ panels }) => panels);
    const linked = panels.filter(({ fieldConfig }) => fieldConfig?.defaults.links?.length > 0);
    expect(linked.length).toBeGreaterThanOrEqual(7);
    for (const { title, targets } of linked) {
      // The link is made from the label, which a sum over daemons would not have.
      expect(targets[0].expr, title).not.toMatch(/^sum|^max/);
    }
  });

  test('asks only for metrics that there are, restricted to the chosen instances', () => {
    const names = Object.values(daemonMetricTable).map(({ name }) => name);
    names.push(...Object.values(node));
    for (const { panel, expr } of dashboards.flatMap(queriesOf)) {
      const asked = [...expr.matchAll(/\b(?:switchover|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
        name.replace(/_(bucket|sum|count)$/, ''),
      );
      expect(asked.length, panel).toBeGreaterThan(0);
      for (const name of asked) expect(names, panel).toContain(name);
      expect(expr.match(/instance=~"\$instance"/g)?.length, panel).toBe(asked.length);
    }
  });
});

describe.skipIf(!promtool)('the rules', () => {
  test.each([
    ['check', 'config', 'dashboards/prometheus.yaml'],
    ['check', 'rules', 'dashboards/rules.yaml'],
    ['test', 'rules', 'dashboards/rules.test.yaml'],
  ])('promtool %s %s %s', (...args) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: root, encoding: 'utf8' });
    expect(stdout + stderr).toMatch(/SUCCESS/);
    expect(status).toBe(0);
  });

  test('every alert looks at series that can be asked for', () => {
    const alerts = new Set(alertSeries().map(({ panel }) => panel));
    const rules = readFileSync(join(root, 'dashboards/rules.yaml'), 'utf8');
    expect([...alerts]).toEqual([...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name));
    expect(
      alertSeries('groups: [{ rules: [{ alert: A, expr: "sum(x_total) + switchover_a{b=\\"c\\"}" }] }]'),
    ).toEqual([{ dashboard: 'alerts', panel: 'A', expr: 'switchover_a{b="c"}' }]);
  });

  test('every alert has a unit test in which it fires', () => {
    const rules = readFileSync(join(root, 'dashboards/rules.yaml'), 'utf8');
    const tests = readFileSync(join(root, 'dashboards/rules.test.yaml'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map((match) => match[1]!);
    expect(alerts.length).toBeGreaterThanOrEqual(5);
    for (const alert of alerts)
      expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n[^-]*exp_alerts:\\n`));
  });
});
