import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { migrationRecord } from '../../src/core/migration/record.ts';
import { cutShort } from '../../src/daemon/cut-short.ts';
import { convergenceOf, guaranteeLabels } from '../../src/daemon/measures.ts';
import { type Metric, metricTable } from '../../src/daemon/metric-table.ts';
import { Metrics, type Pulled } from '../../src/daemon/metrics.ts';
import { drive } from '../../src/run/drive.ts';
import { VirtualWorld } from '../../src/worlds/virtual/virtual-world.ts';
import { has, reading } from '../fixtures/daemons.ts';
import { smallSetup } from '../fixtures/setup.ts';

const root = resolve(import.meta.dirname, '../..');
const nothing: Pulled = {
  queues: [{ kind: 'migration', waiting: 2, running: 1, oldestWaitNs: 3e9 }],
  links: [{ name: 'lan', capacityBytesPerSecond: 125e6, reservedBytesPerSecond: 25e6, waiting: 2 }],
  cpu: {
    processors: 2,
    reservablePerProcessor: 0.95,
    reserved: { guest: 0.4, migration: 0, experiment: 1.2 },
  },
  guests: [{ state: 'running' }],
  watched: [],
  watchers: 0,
  downtimeTargetNs: 300e6,
  degraded: null,
};

/** A migration that was carried out in virtual time. */
async function record(reserved: boolean) {
  const reservation = { budgetNs: 5e6, periodNs: 10e6 };
  const cpu = {
    scheduler: 'cbs-hard' as const,
    guest: null,
    sender: reservation,
    hogs: 2,
    cpuPerPageNs: 20_000,
  };
  const { guest, plan, cpu: wanted } = smallSetup(reserved ? { cpu } : {});
  const world = new VirtualWorld({ guest, plan, cpu: wanted });
  const { reclaim: _, ...reservations } = wanted;
  const predicted = { downtimeNs: 60e6, downtimeP99Ns: 80e6, totalNs: 1e9 };
  const labels = {
    world: 'virtual',
    scenario: 's',
    seed: 7,
    startedAt: world.startedAt,
    guest,
    plan,
    reservations,
    antagonists: [],
    admission: null,
    predicted,
  };
  return migrationRecord(labels, await drive(plan, world));
}

describe('the registry', () => {
  test('has every metric of the table once a migration with reservations has ended', async () => {
    const metrics = new Metrics('1.2.3', async () => nothing);
    metrics.ended(await record(true), 'migration', 300e6);
    metrics.sentOver('lan', 1);
    const text = await metrics.scrape();
    // A migration in virtual time has no client, and this one's sender never has work for ten periods on end.
    const unseen = [
      'switchover_migration_client_gap_seconds',
      'switchover_guest_heartbeats_total',
      'switchover_reservation_share_error_ratio',
    ];
    const silent = Object.values(metricTable)
      .map(({ name }) => name)
      .filter((name) => !text.split('\n').some((line) => line.startsWith(name)));
    expect(silent.filter((name) => !unseen.includes(name))).toEqual([]);
  });

  test('counts what a record says', async () => {
    const metrics = new Metrics('1.2.3', async () => nothing);
    const ended = await record(true);
    metrics.ended(ended, 'migration', 300e6);
    const text = await metrics.scrape();
    const stop = 'world="virtual",order="address",stop="rounds",scheduler="cbs-hard",outcome="completed"';
    expect(reading(text, `switchover_migrations_total{${stop}}`)).toBe(1);
    expect(reading(text, `switchover_migration_downtime_seconds_sum{${stop}}`)).toBeCloseTo(
      ended.downtimeNs / 1e9,
      9,
    );
    const bytes = ended.rounds.reduce((sum, round) => sum + round.bytes, 0);
    expect(reading(text, 'switchover_migration_bytes_total{world="virtual",phase="live"}')).toBe(bytes);
    expect(reading(text, 'switchover_cpu_reserved_processors{holder="experiment"}')).toBe(1.2);
    expect(reading(text, 'switchover_cpu_reservable_processors')).toBe(1.9);
    expect(reading(text, 'switchover_queue_oldest_wait_seconds{kind="migration"}')).toBe(3);
    expect(
      reading(text, 'switchover_reservation_blackout_bound_seconds{world="virtual",server="sender"}'),
    ).toBe(0.01);
  });

  test('counts each part of a downtime once, of a record of version 0.1 too', async () => {
    const ended = await record(true);
    const { dirtyScanNs: _, ...older } = { ...ended.downtimeParts, lookNs: 20e6 };
    for (const downtimeParts of [{ ...older, dirtyScanNs: 20e6 }, older as typeof ended.downtimeParts]) {
      const metrics = new Metrics('1.2.3', async () => nothing);
      metrics.ended({ ...ended, downtimeParts }, 'migration', 300e6);
      const text = await metrics.scrape();
      const sum = /^switchover_migration_downtime_part_seconds_sum\{world="virtual",part="(.+)"\} (.+)$/gm;
      const parts = new Map([...text.matchAll(sum)].map(([, part, seconds]) => [part, Number(seconds)]));
      expect([...parts.keys()]).toEqual([
        'dirty-scan',
        'device',
        'memory',
        'state',
        'verify',
        'commit',
        'resume',
      ]);
      expect(parts.get('dirty-scan')).toBe(0.02);
      const seconds = [...parts.values()].reduce((total, part) => total + part, 0);
      expect(seconds).toBeCloseTo((ended.downtimeNs + 20e6) / 1e9, 9);
    }
  });

  test('keeps the gauges of the last migration when later scrapes find none running', async () => {
    const metrics = new Metrics('1.2.3', async () => nothing);
    const ended = await record(false);
    metrics.ended(ended, 'migration', 300e6);
    await metrics.scrape();
    const text = await metrics.scrape();
    expect(reading(text, 'switchover_last_migration_downtime_seconds')).toBeCloseTo(
      ended.downtimeNs / 1e9,
      9,
    );
  });

  test('says nothing of what was not measured: neither 0, nor what an earlier migration left', async () => {
    const metrics = new Metrics('1.2.3', async () => nothing);
    const ended = await record(true);
    metrics.ended(ended, 'migration', 300e6);
    const never = cutShort('no destination there', 'source');
    metrics.ended({ ...ended, ...never }, 'migration', 300e6);
    const unknown = { outcome: 'failed', owner: 'nobody', downtimeNs: 5e6, totalNs: 1e9 } as const;
    metrics.ended({ ...ended, ...unknown, rounds: [] }, 'migration', 300e6);
    const text = await metrics.scrape();
    const of = (name: string) => text.split('\n').filter((line) => line.startsWith(`switchover_${name}`));
    const failed = (name: string) => of(name).filter((line) => line.includes('outcome="failed"'));
    expect(failed('migrations_total')).toEqual([expect.stringMatching(/ 2$/)]);
    expect(failed('migration_downtime_seconds')).toEqual([]);
    expect(failed('migration_duration_seconds_count')).toEqual([expect.stringMatching(/ 1$/)]);
    expect(of('last_migration_downtime_seconds')).toEqual([]);
    expect(of('last_migration_convergence_ratio')).toEqual([]);
  });

  test('tells of watched machines under the same names with their monitor, and of one that is gone no more', async () => {
    let watched: Pulled['watched'] = [{ monitor: 'web', status: 'completed', progress: null }];
    const metrics = new Metrics('1.2.3', async () => ({ ...nothing, watched }));
    metrics.ended(await record(true), 'migration', 300e6);
    const end = { outcome: 'completed', totalNs: 2e9, downtimeNs: 3e6 } as const;
    metrics.watchedEnded('web', { ...end, sentBytes: 1, syncs: 2, reason: null });
    const of = 'world="qemu-native",monitor="web"';
    const text = await metrics.scrape();
    expect(reading(text, `switchover_migrations_total{${of},outcome="completed"}`)).toBe(1);
    expect(reading(text, `switchover_migrations_total{${of},outcome="failed"}`)).toBe(0);
    expect(reading(text, `switchover_watched_up{${of}}`)).toBe(1);
    expect(reading(text, `switchover_last_migration_downtime_seconds{${of}}`)).toBe(0.003);
    // Its own has no monitor, and one of each name is described.
    expect(text).toMatch(/^switchover_last_migration_downtime_seconds\{world="virtual"\} /m);
    expect(text.match(/^# TYPE switchover_migrations_total /gm)?.length).toBe(1);
    watched = [];
    const later = await metrics.scrape();
    expect(later).not.toContain(`switchover_watched_up{${of}}`);
    expect(later).not.toContain(`switchover_last_migration_completed{${of}}`);
  });

  test('has only labels whose values are few: no guest, no text', () => {
    const labels = new Set(Object.values(metricTable).flatMap(({ labels }: Metric) => labels));
    for (const endless of ['guest', 'name', 'id', 'reason_text', 'migration', 'error'])
      expect(labels).not.toContain(endless);
  });

  test.skipIf(!has('promtool'))('is clean for promtool check metrics', async () => {
    const metrics = new Metrics('1.2.3', async () => nothing);
    metrics.ended(await record(true), 'migration', 300e6);
    const checked = spawnSync('promtool', ['check', 'metrics'], {
      input: await metrics.scrape(),
      encoding: 'utf8',
    });
    expect(checked.stdout + checked.stderr).toBe('');
    expect(checked.status).toBe(0);
  });

  test('is made by the only file, but for that of Node’s own metrics, that knows the client library', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const importers = files.filter((file) =>
      readFileSync(join(root, 'src', file), 'utf8').includes("from 'prom-client'"),
    );
    expect(importers).toEqual(['daemon/metric-registry.ts', 'daemon/node-metrics.ts']);
  });
});

describe('what a record comes to in few words', () => {
  test('a share and a period are rounded up to a step, b_d too', async () => {
    const ended = await record(true);
    expect(guaranteeLabels(ended)).toEqual({
      guarantee: 'sender',
      antagonists: 'hogs',
      sender_share: '0.5',
      sender_period: '10ms',
      stop_rate: '100Mbit/s',
    });
    const odd = {
      ...ended,
      reservations: { ...ended.reservations, sender: { budgetNs: 3.1e6, periodNs: 11e6 } },
    };
    expect(guaranteeLabels(odd)).toMatchObject({ sender_share: '0.3', sender_period: '20ms' });
  });

  test('the convergence ratio is what was dirtied over what was sent in the last round', async () => {
    const ended = await record(false);
    const last = ended.rounds.at(-1)!;
    const dirtied = (ended.stop.pages - last.deferredPages) * ended.plan.pageBytes;
    expect(convergenceOf(ended)!.ratio).toBeCloseTo(dirtied / last.bytes, 9);
  });
});
