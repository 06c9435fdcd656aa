import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { watchMetricTable } from '../../src/daemon/watch-metric-table.ts';
import { type WatchedByCommand, WatchMetrics } from '../../src/daemon/watch-metrics.ts';
import { readLogs } from '../../src/observe/import/read-logs.ts';
import { FollowedMigration } from '../../src/run/watch/followed-migration.ts';
import { has, reading } from '../fixtures/daemons.ts';

const log = 'test/fixtures/import/qemu-ycsb/Precopy_Convergent/mig-stats-run-2.json.gz';

/** A migration in the middle, one that has ended, and a QEMU that is not there. */
async function scraped(): Promise<string> {
  const { observation } = readLogs([log]);
  const migration = new FollowedMigration();
  const samples = observation.samples.filter(({ syncs }) => (syncs ?? 0) <= 4);
  for (const sample of samples) migration.look({ samples: [sample] });
  const progress = migration.progress('active', { stopRateBytesPerSecond: 2 * 2 ** 30 });
  const monitors: WatchedByCommand[] = [
    { socket: '/run/a', status: 'active', progress },
    { socket: '/run/b', status: 'completed', progress: null },
    { socket: '/run/c', status: null, progress: null },
  ];
  const metrics = new WatchMetrics(monitors);
  const end = { totalNs: 17e9, downtimeNs: 11e6, sentBytes: 8e9, syncs: 7, reason: null };
  const time = '2026-01-01T00:00:00.000Z';
  metrics.happened({ time, monitor: '/run/b', event: 'ended', outcome: 'completed', ...end });
  await metrics.scrape();
  return metrics.scrape();
}

describe('the metrics of a watch', () => {
  const text = scraped();

  test('have a value each, of the migration that goes on and of the one that has ended', async () => {
    const lines = (await text).split('\n');
    const silent = Object.values(watchMetricTable).filter(
      ({ name }) => !lines.some((line) => line.startsWith(name)),
    );
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  test('count an end once, and say what QEMU says of it', async () => {
    const ended = 'world="qemu-native",outcome="completed"';
    expect(reading(await text, `switchover_migration_downtime_seconds_sum{${ended}}`)).toBe(0.011);
    expect(reading(await text, `switchover_migration_duration_seconds_count{${ended}}`)).toBe(1);
    const of = (monitor: string) => `world="qemu-native",monitor="${monitor}",outcome="completed"`;
    expect(reading(await text, `switchover_migrations_total{${of('/run/b')}}`)).toBe(1);
    expect(reading(await text, `switchover_migrations_total{${of('/run/a')}}`)).toBe(0);
  });

  test('say which QEMU can be asked, and what is predicted', async () => {
    const of = (monitor: string) => `world="qemu-native",monitor="${monitor}"`;
    expect(reading(await text, `switchover_watched_up{${of('/run/b')}}`)).toBe(1);
    expect(reading(await text, `switchover_watched_up{${of('/run/c')}}`)).toBe(0);
    expect(reading(await text, 'switchover_migrations_running')).toBe(1);
    const told = await text;
    const left = (statistic: string) =>
      reading(told, `switchover_watched_predicted_left_seconds{${of('/run/a')},statistic="${statistic}"}`);
    expect(left('p5')!).toBeLessThanOrEqual(left('p50')!);
    expect(left('p50')!).toBeLessThan(left('p95')!);
  });

  test.skipIf(!has('promtool'))('are clean for promtool check metrics', async () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: await text, encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toBe('');
    expect(checked.status).toBe(0);
  });
});
