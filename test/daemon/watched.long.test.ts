import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatDuration } from '../../src/core/units.ts';
import { Qmp } from '../../src/qemu/qmp.ts';
import { DaemonPage } from '../fixtures/daemon-page.ts';
import { ask, Daemons, eventually, has, reading } from '../fixtures/daemons.ts';
import { answersCheck } from '../fixtures/described-answers.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';
import { WatchedMachines } from '../fixtures/watched-machines.ts';

describe.skipIf(withoutQemu !== undefined || !has('/usr/bin/chromium'))('a daemon that watches', () => {
  const daemons = new Daemons();
  const machines = new WatchedMachines();
  const strange = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
  let alpha: ServedDaemon;
  let opened: DaemonPage;
  const watch = { web: { qmp: machines.ours('web'), stopRate: '1Gbit/s' } };

  beforeAll(async () => {
    machines.start('web');
    await machines.theirs('web').then((qmp) => qmp.close());
    alpha = await daemons.start('alpha', { watch });
    opened = await DaemonPage.open(alpha);
  });
  afterAll(async () => {
    strange.close();
    await opened?.end();
    machines.end();
    await daemons.end();
  });
  afterEach(async () => {
    await home();
    expect(opened.complaints).toEqual([]);
  });

  const watched = async (name: string) => (await ask(alpha, 'GET', `/api/watched/${name}`)).body;
  const scrape = async () => (await ask(alpha, 'GET', '/metrics')).body as string;
  const home = () => opened.page.evaluate<void>('location.hash = "#/"');
  const section = (id: string) => opened.page.locator(`#${id}`);
  const row = (name: string) => section('watched').getByRole('row').filter({ hasText: name });

  test('shows a QEMU that somebody else migrates, predicts its end, and counts it', async () => {
    await row('web').getByText('idle', { exact: true }).waitFor();
    const qmp = await machines.migrateSlowly('web');
    await row('web').getByText('migrating', { exact: true }).waitFor();
    const { progress } = await eventually(
      () => watched('web'),
      (machine) => (machine.progress?.syncs ?? 0) >= 2,
    );
    expect(progress.predicted.endsByItself).toBeGreaterThanOrEqual(0);
    const check = answersCheck();
    check('WatchedMachineWithPast', await watched('web'));
    check('State', (await ask(alpha, 'GET', '/api/state')).body);
    await opened.isClean('watched');
    const during = await scrape();
    const of = 'world="qemu-native",monitor="web"';
    expect(during).toContain(`switchover_watched_status{${of},status="active"} 1`);
    expect(reading(during, `switchover_watched_left_bytes{${of}}`)).toBeGreaterThan(0);
    if (has('promtool')) {
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: during, encoding: 'utf8' });
      expect(checked.stdout + checked.stderr).toBe('');
    }
    await section('watched').getByRole('link', { name: 'web' }).click();
    await section('detail').getByText('What the prediction leaves out').waitFor();
    await opened.isClean('watched-migrating');
    await machines.letGo(qmp);

    const { migrations } = await eventually(
      () => watched('web'),
      (machine) => machine.migrations.length > 0,
    );
    check('WatchedMachineWithPast', await watched('web'));
    const said = await qmp.execute<Record<string, number>>('query-migrate');
    qmp.close();
    expect(migrations).toMatchObject([
      { outcome: 'completed', totalNs: 1e6 * said['total-time']!, downtimeNs: 1e6 * said.downtime! },
    ]);
    expect(migrations[0].firstPredicted.atNs).toBeLessThan(migrations[0].totalNs);
    await section('detail').locator('tbody').getByText('completed', { exact: true }).waitFor();
    const text = await section('detail').innerText();
    for (const ns of [migrations[0].totalNs, migrations[0].downtimeNs])
      expect(text).toContain(formatDuration(ns));
    await opened.isClean('watched-ended');
    await home();
    const after = await scrape();
    expect(reading(after, `switchover_migrations_total{${of},outcome="completed"}`)).toBe(1);
    expect(reading(after, `switchover_last_migration_downtime_seconds{${of}}`)).toBe(said.downtime! / 1e3);
    expect(after).not.toContain('switchover_watched_left_bytes{');
    expect(alpha.log).toContain('"event":"watched migration ended"');
  });

  test('says in one line why a machine cannot be asked, and takes sockets from a reload', async () => {
    machines.start('taken');
    const holder = await Qmp.connect(machines.ours('taken'), () => undefined);
    const door = join(machines.folder, 'strange');
    await new Promise<void>((listening) => strange.listen(door, listening));
    const nowhere = join(machines.folder, 'nowhere');
    daemons.configure('alpha', {
      watch: {
        ...watch,
        taken: { qmp: machines.ours('taken') },
        strange: { qmp: door },
        nowhere: { qmp: nowhere },
      },
    });
    alpha.signal('SIGHUP');
    for (const [name, why] of [
      ['nowhere', 'nobody listens there, and there is no such file'],
      ['strange', 'a monitor of QEMU that nobody else uses is needed'],
      ['taken', 'somebody else uses this monitor, or QEMU hangs'],
    ] as const) {
      await row(name).getByText('unreachable', { exact: true }).waitFor();
      await row(name).getByText(why).waitFor();
      expect(alpha.log).toContain(`watch: '${name}' cannot be asked: `);
    }
    expect((await watched('web')).migrations.length, 'what was watched before is known on').toBe(1);
    expect(reading(await scrape(), 'switchover_watched_up{world="qemu-native",monitor="taken"}')).toBe(0);
    await opened.isClean('watched-unreachable');
    holder.close();
    await row('taken').getByText('idle', { exact: true }).waitFor();

    daemons.configure('alpha', { watch: { taken: watch.web } });
    alpha.signal('SIGHUP');
    await row('nowhere').waitFor({ state: 'detached' });
    await eventually(
      () => watched('taken'),
      ({ socket, status }) => socket === machines.ours('web') && status === 'completed',
    );
    expect(await scrape()).not.toContain(
      'switchover_last_migration_completed{world="qemu-native",monitor="web"}',
    );
    // Nobody holds the monitor of one that is not watched any more.
    await Qmp.connect(machines.ours('taken'), () => undefined).then((qmp) => qmp.close());
  });

  test('outlives a QEMU that ends while it is migrated, and finds the next one', async () => {
    const qemu = machines.start('short');
    await machines.theirs('short').then((qmp) => qmp.close());
    daemons.configure('alpha', { watch: { short: { qmp: machines.ours('short') } } });
    alpha.signal('SIGHUP');
    await row('short').getByText('idle', { exact: true }).waitFor();
    const qmp = await machines.migrateSlowly('short');
    await row('short').getByText('migrating', { exact: true }).waitFor();
    qmp.close();
    qemu.kill('SIGKILL');
    await row('short').getByText('unreachable', { exact: true }).waitFor();
    expect((await watched('short')).last).toMatchObject({ outcome: 'unknown', totalNs: null });
    machines.start('short');
    await row('short').getByText('idle', { exact: true }).waitFor();
    expect((await ask(alpha, 'GET', '/readyz')).status).toBe(200);
  });
});
