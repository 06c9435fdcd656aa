import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatDuration } from '../../src/core/units.ts';
import { DaemonPage } from '../fixtures/daemon-page.ts';
import { ask, Daemons, eventually, has } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

describe.skipIf(!has('/usr/bin/chromium'))('the live page', () => {
  const daemons = new Daemons();
  let alpha: ServedDaemon;
  let opened: DaemonPage;

  beforeAll(async () => {
    ({ alpha } = await daemons.pair({ links: { lan: { capacity: '1Gbit/s' } } }));
    opened = await DaemonPage.open(alpha);
  });
  afterAll(async () => {
    await opened?.end();
    await daemons.end();
  });
  afterEach(() => {
    expect(opened.complaints).toEqual([]);
  });

  const section = (id: string) => opened.page.locator(`#${id}`);
  const button = (name: string | RegExp) => opened.page.getByRole('button', { name, exact: true });
  const dialog = () => section('dialog');

  test('shows the guests of its daemon, and asks nobody else for anything', async () => {
    await opened.page.getByText('live', { exact: true }).waitFor();
    await section('guests').getByText('stream', { exact: true }).waitFor();
    expect(await opened.page.title()).toBe('alpha · Switchover');
    expect(opened.foreign).toEqual([]);
  });

  test('says before a migration what it would come to, and moves nothing for it', async () => {
    await button('Migrate stream').click();
    await opened.page.getByLabel('hogs beside the sender').fill('2');
    await opened.page.getByLabel('the sender’s CPU').selectOption('5');
    await opened.page.getByLabel('over the link').selectOption('lan');
    await dialog().getByRole('button', { name: 'Dry run' }).click();
    await dialog().getByText('would begin at once').waitFor();
    for (const named of ['at most (probability 0.99)', 'the same without the reservations', 'left of lan'])
      await dialog().getByText(named, { exact: true }).waitFor();
    await dialog().getByText('800 Mbit/s', { exact: true }).waitFor();
    await opened.picture('dry-run');
    expect((await ask(alpha, 'GET', '/api/migrations')).body).toEqual([]);
    expect((await ask(alpha, 'GET', '/api/cpu')).body.reserved.migration).toBe(0);
  });

  test('a wrong rate is explained in the dialog, which stays open', async () => {
    await opened.page.getByLabel('b, rate in live rounds').fill('0.000001kbit/s');
    await dialog().getByRole('button', { name: 'Migrate' }).click();
    await dialog()
      .getByText(/link\.rate: expected a rate/)
      .waitFor();
  });

  test('a migration that takes long is started, seen, and cancelled once asked by name', async () => {
    await opened.page.getByLabel('b, rate in live rounds').fill('4Mbit/s');
    await dialog().getByRole('button', { name: 'Migrate' }).click();
    await section('now').getByText('sends while the guest runs').waitFor();
    await section('now').locator('canvas').waitFor();
    await section('now').getByText('to go').waitFor();
    await section('reservations').getByText('200 Mbit/s of 1 Gbit/s reserved').waitFor();
    await section('reservations').getByText('0.50 of').waitFor();
    await opened.picture('running');
    await section('now').getByRole('button', { name: 'Cancel the migration of stream to beta' }).click();
    await dialog().getByText('Cancel the migration of stream to beta?').waitFor();
    await opened.picture('cancelling');
    await dialog().getByRole('button', { name: 'Cancel the migration' }).click();
    await section('now').getByText('cancelled', { exact: true }).first().waitFor();
    await section('reservations').getByText('0 bit/s of 1 Gbit/s reserved').waitFor();
    await section('guests').getByText('running', { exact: true }).waitFor();
  });

  test('a migration that has ended has a page, with what was promised, its rounds, parts and log', async () => {
    await button('Migrate stream').click();
    await opened.page.getByLabel('hogs beside the sender').fill('2');
    await opened.page.getByLabel('the sender’s CPU').selectOption('5');
    await dialog().getByRole('button', { name: 'Migrate' }).click();
    await section('guests').getByText('No guests on this host').waitFor();
    await section('comparisons').getByText('virtual time').first().waitFor();
    await opened.picture('finished');
    await section('migrations').getByRole('link', { name: 'stream → beta' }).first().click();
    for (const part of [
      'Promises',
      'With the guarantee and without',
      'Rounds',
      'Parts of the downtime',
      'Log',
    ])
      await section('detail').getByRole('heading', { name: part, exact: true }).waitFor();
    await opened.picture('migration');
  });

  test('all that the page of a migration shows is what the API says', async () => {
    const [{ id }] = (await ask(alpha, 'GET', '/api/migrations')).body;
    const { body: migration } = await ask(alpha, 'GET', `/api/migrations/${id}`);
    const text = await section('detail').innerText();
    const { record, promises, log, unguaranteed } = migration;
    const { boundNs, marginNs, measuredNs } = promises.downtime ?? {};
    for (const ns of [record.downtimeNs, unguaranteed.downtime.medianNs, boundNs ?? record.downtimeNs])
      expect(text).toContain(formatDuration(ns));
    // A guest with nothing left to send when it was paused was promised nothing.
    expect(boundNs === undefined).toBe(record.stop.pages === 0);
    if (boundNs !== undefined) expect(marginNs).toBe(boundNs - measuredNs);
    for (const { line } of log) expect(text).toContain(line);
    for (const { sentPages } of record.rounds) expect(text).toContain(sentPages.toLocaleString('en'));
    const hour = new Date(migration.endedAt).toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo' });
    expect(text).toContain(hour);
  });

  test('it leaves as JSON, as CSV, and its chart as PNG', async () => {
    const exported = async (role: 'link' | 'button', name: string) => {
      const [download] = await Promise.all([
        opened.page.waitForEvent('download'),
        section('detail').getByRole(role, { name }).click(),
      ]);
      return readFileSync(await download.path());
    };
    const [{ id, record }] = (await ask(alpha, 'GET', '/api/migrations')).body;
    expect(JSON.parse(String(await exported('link', 'JSON')))).toMatchObject({ id, record });
    const [head, ...rows] = String(await exported('button', 'CSV of the rounds'))
      .trim()
      .split('\r\n');
    expect(head).toMatch(/^round,dirtyPages,/);
    expect(rows.length).toBe(record.rounds.length + 1);
    expect((await exported('button', 'PNG of the chart')).subarray(1, 4).toString()).toBe('PNG');
  });

  test('the last connection is kept by nobody once the page is closed', async () => {
    await opened.page.goto('about:blank');
    const watchers = async () => String((await ask(alpha, 'GET', '/metrics')).body);
    await eventually(watchers, (text) => text.includes('switchover_event_watchers 0'));
  });
});
