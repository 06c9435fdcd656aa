import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatDuration, formatRate, formatSize } from '../../src/core/units.ts';
import { DaemonPage } from '../fixtures/daemon-page.ts';
import { ask, Daemons, eventually, has, quick } from '../fixtures/daemons.ts';
import { onFailingDisk } from '../fixtures/failing-disk.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const guests = ['one', 'two', 'three'].map((name) => ({
  name,
  pages: 1024,
  program: { kind: 'stream', frame: '20ms', cpuPerFrame: '1ms', pagesPerFrame: 100, buffers: 400 },
}));

/** Enough of a load that what is reserved matters, and pages that are left for the pause. */
const contended = {
  link: { rate: '100Mbit/s' },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
  sender: { cpuPerPage: '100us' },
  cpu: { scheduler: 'fair' },
  background: [{ kind: 'cpu-hog', count: 2 }],
};
const reserved = {
  ...contended,
  sender: { cpuPerPage: '100us', reservation: { budget: '6ms', period: '10ms' } },
  cpu: { scheduler: 'cbs-hard' },
};

// biome-ignore lint/suspicious/noExplicitAny: what an API answers.
type Answer = any;

function ofPeriod(reservation: { budgetNs: number; periodNs: number } | null): string {
  return reservation
    ? `${formatDuration(reservation.budgetNs)} of ${formatDuration(reservation.periodNs)}`
    : '–';
}

function signed(ns: number | undefined): string {
  if (ns === undefined) return '–';
  return ns < 0 ? `−${formatDuration(-ns)}` : formatDuration(ns);
}

const PATIENCE = { timeout: 30_000 };

describe.skipIf(!has('/usr/bin/chromium'))('the page of a daemon', () => {
  const daemons = new Daemons();
  let alpha: ServedDaemon;
  let configuration: object;
  let port: number;
  let opened: DaemonPage;

  beforeAll(async () => {
    port = await freePort();
    ({ alpha, configuration } = await daemons.pair({ guests, links: { lan: { capacity: '1Gbit/s' } } }));
    await alpha.end('SIGKILL');
    const fault = {
      folder: join(daemons.folder, 'alpha/state'),
      code: 'ENOSPC',
      whileThere: full(),
    } as const;
    alpha = await daemons.start('alpha', configuration, port, onFailingDisk(fault));
    opened = await DaemonPage.open(alpha);
  });
  afterAll(async () => {
    await opened?.end();
    await daemons.end();
  });
  afterEach(() => {
    expect(opened.complaints).toEqual([]);
    expect(opened.foreign).toEqual([]);
  });

  const full = () => join(daemons.folder, 'full');
  const section = (id: string) => opened.page.locator(`#${id}`);
  const dialog = () => section('dialog');
  const home = () => opened.page.evaluate<void>('location.hash = "#/"');

  async function migrated(guest: string, how: object): Promise<{ id: string }> {
    const { body } = await ask(alpha, 'POST', '/api/migrations', { guest, to: 'beta', ...how });
    return (
      await eventually(
        () => ask(alpha, 'GET', `/api/migrations/${body.id}`),
        (view) => view.body.endedAt !== null,
      )
    ).body;
  }

  /** Each row of a table as texts, its cells one after the other. */
  const rowsOf = (id: string) =>
    opened.page.evaluate<string[][]>(
      `[...document.querySelectorAll('#${id} tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))`,
    );

  /** Every figure and state of the overview's tables against the API's answers at the same time. */
  async function showsWhatTheApiSays(): Promise<void> {
    const answers = ['guests', 'migrations', 'experiments', 'links', 'cpu'].map(
      async (what) => (await ask(alpha, 'GET', `/api/${what}`)).body,
    );
    const [guests, migrations, experiments, links, cpu] = await Promise.all(answers);
    expect((await rowsOf('guests')).map((cells) => cells.slice(0, 3))).toEqual(
      guests.map(({ name, program, pages, pageSizeBytes, reservation, state }: Answer) => [
        `${name}\n${program}, ${formatSize(pages * pageSizeBytes)}`,
        ofPeriod(reservation),
        state,
      ]),
    );
    expect((await rowsOf('migrations')).map((cells) => cells.slice(1))).toEqual(
      migrations.map(({ guest, to, state, record, promises }: Answer) => [
        `${guest} → ${to}`,
        state,
        formatDuration(record.downtimeNs),
        signed(promises.downtime?.marginNs),
        promises.kept === null ? 'nothing promised' : promises.kept ? 'kept' : 'broken',
      ]),
    );
    expect((await rowsOf('experiments')).map((cells) => cells.slice(0, 4))).toEqual(
      experiments.map(({ name, world, state, runs, cells }: Answer) => [
        `${name}\n${world}`,
        state,
        `${runs.done} / ${runs.all}`,
        cells.length > 0 ? String(cells.length) : '–',
      ]),
    );
    const reservations = await section('reservations').innerText();
    const reserved = Object.values<number>(cpu.reserved).reduce((sum, one) => sum + one, 0);
    const most = cpu.processors * cpu.reservablePerProcessor;
    expect(reservations).toContain(`${reserved.toFixed(2)} of ${most.toFixed(2)} processors reserved`);
    for (const { capacityBytesPerSecond: capacity, reservedBytesPerSecond, waiting } of links) {
      const text = `${formatRate(reservedBytesPerSecond)} of ${formatRate(capacity)} reserved`;
      expect(reservations).toContain(text);
      expect(reservations).toContain(`${waiting} waiting`);
    }
  }

  test('has nothing for axe-core to object to while nothing has happened yet', async () => {
    await section('guests').getByText('three', { exact: true }).waitFor();
    await opened.isClean('empty');
  });

  test('nor in its dialogs: a migration with a dry run, a scenario, a question', async () => {
    await opened.page.getByRole('button', { name: 'Migrate one' }).click();
    await opened.page.getByLabel('the sender’s CPU').selectOption('5');
    await dialog().getByRole('button', { name: 'Dry run' }).click();
    await dialog().getByText('would begin at once').waitFor();
    await opened.isClean('dialog-migrate');
    await dialog().getByRole('button', { name: 'Close' }).click();
    await opened.page.getByRole('button', { name: 'New experiment' }).click();
    await dialog().getByLabel('link.rate').waitFor();
    await opened.isClean('dialog-scenario');
    await dialog().getByRole('button', { name: 'Close' }).click();
  });

  test('a scenario is the same in its fields and in YAML, with the help of the schema', async () => {
    await opened.page.getByRole('button', { name: 'New experiment' }).click();
    await dialog().getByLabel('link.rate').fill('500Mbit/s');
    await dialog().getByLabel('link.rate').press('Tab');
    const area = dialog().getByLabel('scenario (YAML)');
    expect(await area.inputValue()).toContain('rate: 500Mbit/s');
    expect(await area.inputValue()).toContain('# A stream server');
    const key = (await ask(alpha, 'GET', '/api/reference')).body.find(
      ({ path }: { path: string }) => path === 'migration.timeout',
    );
    await dialog().getByLabel('another key').fill('migration.timeout');
    await dialog().getByText(key.meaning).waitFor();
    await dialog().getByLabel('its value').fill('30s');
    await dialog().getByRole('button', { name: 'Add' }).click();
    expect(await area.inputValue()).toContain('timeout: 30s');
    await area.fill('guest: { pages: 100');
    await dialog()
      .getByText(/at line 1/)
      .waitFor();
    await area.fill(
      'guest: { pages: 100, program: { kind: zipf, writesPerSecond: 10 } }\nlink: { rate: 50Mbit/s }\ncompare: { migration.stop.rounds: [1, 2] }\nruns: 2\n',
    );
    await dialog().getByLabel('guest.pages').waitFor();
    await dialog().getByRole('button', { name: 'Start' }).click();
    await section('experiments').getByText('completed', { exact: true }).waitFor();
    await section('experiments').getByRole('link', { name: 'guarantees' }).click();
    const [{ id }] = (await ask(alpha, 'GET', '/api/experiments')).body;
    const { body } = await ask(alpha, 'GET', `/api/experiments/${id}`);
    expect(body.cells.map(({ settings }: { settings: string }) => settings)).toEqual([
      'migration.stop.rounds: 1',
      'migration.stop.rounds: 2',
    ]);
    for (const { settings } of body.cells) await section('detail').getByText(settings).waitFor();
    await opened.isClean('experiment');
    await home();
  });

  test('a migration with its guarantee is beside the same without', async () => {
    await migrated('one', contended);
    const { id } = await migrated('two', reserved);
    await eventually(
      async () => (await ask(alpha, 'GET', '/api/comparisons')).body,
      ([one]) => one?.unguaranteed !== null && one?.unguaranteed !== undefined,
    );
    await section('comparisons').getByText('virtual time').first().waitFor();
    await opened.isClean('migrations');
    await showsWhatTheApiSays();
    await opened.page.evaluate<void>(`location.hash = "#/migrations/at/${Date.now()}"`);
    await section('detail').getByRole('heading', { name: 'two → beta' }).waitFor();
    await opened.page.evaluate<void>(`location.hash = "#/migrations/${id}"`);
    await section('detail').getByRole('heading', { name: 'Promises' }).waitFor();
    await section('detail').locator('summary').click();
    await opened.isClean('migration');
    await home();
  });

  test('by keyboard alone, a button that is pressed is the one that was chosen, whatever has come before it', async () => {
    const { body } = await ask(alpha, 'POST', '/api/experiments', { name: 'first', scenario: endless });
    await section('experiments').getByRole('button', { name: 'Cancel the experiment first' }).focus();
    const other = (await ask(alpha, 'POST', '/api/experiments', { name: 'second', scenario: endless })).body;
    await section('experiments').getByText('second', { exact: true }).waitFor();
    await opened.page.keyboard.press('Enter');
    await dialog().getByText('Cancel the experiment first?').waitFor();
    await opened.isClean('dialog-cancel');
    await opened.page.keyboard.press('Tab');
    await opened.page.keyboard.press('Enter');
    await eventually(
      () => ask(alpha, 'GET', `/api/experiments/${body.id}`),
      (view) => view.body.state === 'cancelled',
    );
    expect((await ask(alpha, 'GET', `/api/experiments/${other.id}`)).body.endedAt).toBe(null);
    await ask(alpha, 'DELETE', `/api/experiments/${other.id}`);
  });

  const endless = {
    guest: { pages: 300_000, program: { kind: 'zipf', writesPerSecond: 10_000 } },
    link: { rate: '1Gbit/s' },
    runs: 900,
  };

  test('a disk that is full is told of above everything else, until there is space', async () => {
    const alarm = opened.page.getByText(
      /This daemon takes nothing new: cannot write .*diary\.ndjson: ENOSPC/,
    );
    writeFileSync(full(), '');
    await alarm.waitFor(PATIENCE);
    await opened.isClean('full-disk');
    rmSync(full());
    await alarm.waitFor({ ...PATIENCE, state: 'hidden' });
  });

  test('a daemon that says nothing any more is lost, since when it was last heard; then it is there again', async () => {
    alpha.signal('SIGSTOP');
    const lost = opened.page.getByText(/Nothing was heard of this daemon since \d\d:\d\d:\d\d/);
    await lost.waitFor(PATIENCE);
    expect(await section('guests').getByRole('button', { name: 'Migrate three' }).isDisabled()).toBe(true);
    await opened.isClean('lost');
    alpha.signal('SIGCONT');
    await lost.waitFor({ state: 'hidden' });
    await opened.page.getByText('live', { exact: true }).waitFor();
  });

  test('after a restart everything is there again, experiments and their records too', async () => {
    const [before] = (await ask(alpha, 'GET', '/api/experiments?limit=200')).body.slice(-1);
    await alpha.end('SIGKILL');
    await opened.page.getByText('lost', { exact: true }).waitFor();
    alpha = await daemons.start('alpha', configuration, port);
    await opened.page.getByText('live', { exact: true }).waitFor();
    expect((await ask(alpha, 'GET', `/api/experiments/${before.id}`)).body).toEqual(before);
    const records = (await ask(alpha, 'GET', `/api/experiments/${before.id}/records`)).body as string;
    expect(records.trim().split('\n').length).toBe(before.runs.done);
    await section('experiments').getByRole('link', { name: before.name }).waitFor();
    expect(
      (await ask(alpha, 'POST', '/api/migrations', { guest: 'three', to: 'beta', ...quick })).status,
    ).toBe(202);
  });
});
