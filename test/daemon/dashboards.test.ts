import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtFiles } from '../../dashboards/built.ts';
import { queriesOf } from '../../dashboards/check.ts';
import { metricTable } from '../../src/daemon/metric-table.ts';
import { has } from '../fixtures/daemons.ts';

const root = resolve(import.meta.dirname, '../..');
const promtool = has('promtool');

test.each([...builtFiles().keys()])('%s is what the code builds', (path) => {
  expect(readFileSync(join(root, path), 'utf8'), 'npm run build:dashboards').toBe(builtFiles().get(path));
});

describe('every dashboard', () => {
  const dashboards = ['migrations', 'reservations', 'guarantees'].map((name) =>
    JSON.parse(readFileSync(join(root, `dashboards/${name}.json`), 'utf8')),
  );

  test('has an identity of its own, no id of one Grafana, and variables for data source and instance', () => {
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(3);
    for (const { id, templating } of dashboards) {
      expect(id).toBeNull();
      expect(templating.list.map(({ name }: { name: string }) => name)).toEqual(['datasource', 'instance']);
    }
  });

  test('asks only for metrics that there are, restricted to the chosen instances', () => {
    const names = Object.values(metricTable).map(({ name }) => name);
    for (const { panel, expr } of dashboards.flatMap(queriesOf)) {
      const asked = [...expr.matchAll(/switchover_[a-z_]+/g)].map(([name]) =>
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

  test('every alert has a unit test in which it fires', () => {
    const rules = readFileSync(join(root, 'dashboards/rules.yaml'), 'utf8');
    const tests = readFileSync(join(root, 'dashboards/rules.test.yaml'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map((match) => match[1]!);
    expect(alerts.length).toBeGreaterThanOrEqual(5);
    for (const alert of alerts)
      expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n[^-]*exp_alerts:\\n`));
  });
});
