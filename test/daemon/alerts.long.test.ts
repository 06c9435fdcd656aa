import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ask, Daemons, eventually, has, quick } from '../fixtures/daemons.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const rules = resolve(import.meta.dirname, '../../dashboards/rules.yaml');
const daemons = new Daemons();
const folder = mkdtempSync(join(tmpdir(), 'switchover-alerts-'));
afterEach(async () => {
  await daemons.end();
  rmSync(folder, { recursive: true });
});

async function scrape(daemon: ServedDaemon): Promise<ReadonlyMap<string, string>> {
  const { body } = await ask(daemon, 'GET', '/metrics');
  const lines = (body as string).split('\n').filter((line) => line.startsWith('switchover_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

async function migrate(daemon: ServedDaemon, to: string, how: object): Promise<string> {
  const { body } = await ask(daemon, 'POST', '/api/migrations', { guest: 'stream', to, ...how });
  const ended = await eventually(
    () => ask(daemon, 'GET', `/api/migrations/${body.id}`),
    (view) => view.body.endedAt !== null,
  );
  return ended.body.state;
}

/**
 * What promtool says of the rules, on series of a daemon: five minutes as first scraped, then as scraped afterwards.
 * @returns the alerts among these that fire four minutes later
 */
function firing(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  alerts: readonly string[],
): readonly string[] {
  const series = [...after].map(([name, value]) => ({
    series: name,
    values: `${before.get(name) ?? '_'}x5 ${value}x10`,
  }));
  return alerts.filter((alertname) => {
    const file = join(folder, `${alertname}.yaml`);
    const fires = { alertname, eval_time: '9m', exp_alerts: [] };
    const tests = [{ interval: '1m', input_series: series, alert_rule_test: [fires] }];
    writeFileSync(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    if (status !== 0) expect(stdout + stderr).toContain(`alertname: ${alertname}`);
    return status !== 0;
  });
}

describe.skipIf(!has('promtool'))('on series that a daemon has made', () => {
  const alerts = ['SwitchoverMigrationFailed', 'SwitchoverNotConverging', 'SwitchoverDowntimeOverTarget'];

  test('alerts fire at the first failure, the first that gives up, and the first long downtime; not for experiments', async () => {
    const dead = { address: `127.0.0.1:${await freePort()}` };
    const receive = `127.0.0.1:${await freePort()}`;
    const { alpha } = await daemons.pair({
      peers: { beta: { address: receive }, dead },
      target: { downtime: '1us' },
    });
    await daemons.start('gamma', { receive: { listen: receive } });
    const atFirst = await scrape(alpha);

    const scenario = {
      guest: { pages: 64, program: { kind: 'sequential', pages: 64, writesPerSecond: 10 } },
    };
    const { body } = await ask(alpha, 'POST', '/api/experiments', { scenario, world: 'virtual' });
    await eventually(
      () => ask(alpha, 'GET', `/api/experiments/${body.id}`),
      (view) => view.body.endedAt !== null,
    );
    const afterExperiment = await scrape(alpha);
    expect(firing(atFirst, afterExperiment, alerts)).toEqual([]);

    expect(await migrate(alpha, 'dead', quick)).toBe('failed');
    const afterFailure = await scrape(alpha);
    expect(firing(atFirst, afterFailure, alerts)).toEqual(['SwitchoverMigrationFailed']);

    const hopeless = {
      link: { rate: '20Mbit/s' },
      migration: { stop: { rule: 'downtime', limit: '1us' }, timeout: '300ms' },
    };
    expect(await migrate(alpha, 'beta', hopeless)).toBe('not-converged');
    const afterGivingUp = await scrape(alpha);
    expect(firing(afterFailure, afterGivingUp, alerts)).toEqual(['SwitchoverNotConverging']);

    expect(await migrate(alpha, 'beta', quick)).toBe('completed');
    expect(firing(afterGivingUp, await scrape(alpha), alerts)).toEqual(['SwitchoverDowntimeOverTarget']);
  });
});
