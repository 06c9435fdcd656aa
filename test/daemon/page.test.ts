import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Daemons, eventually, has } from '../fixtures/daemons.ts';
import { onFailingDisk } from '../fixtures/failing-disk.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const pictures = resolve(import.meta.dirname, '../../build/screenshots');
const PATIENCE = { timeout: 30_000 };

describe.skipIf(!has('/usr/bin/chromium'))('the live page', () => {
  const daemons = new Daemons();
  let browser: Browser;
  let page: Page;
  let alpha: ServedDaemon;
  let configuration: object;
  let port: number;
  const foreign: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    port = await freePort();
    ({ alpha, configuration } = await daemons.pair({ links: { lan: { capacity: '1Gbit/s' } } }));
    await alpha.end('SIGKILL');
    alpha = await daemons.start('alpha', configuration, port);
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(30_000);
    page.on('request', (request) => {
      if (!request.url().startsWith(`http://${alpha.address}/`)) foreign.push(request.url());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // What is refused, and that the daemon is gone, the browser says too.
      if (message.type() === 'error' && !/ERR_CONNECTION|ERR_INCOMPLETE|status of 4/.test(message.text()))
        complaints.push(message.text());
    });
    await page.goto(`http://${alpha.address}/`);
  });
  afterAll(async () => {
    await browser?.close();
    await daemons.end();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  const connection = () => page.locator('#connection');

  test('shows the guests of its daemon, and asks nobody else for anything', async () => {
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('#guests').getByText('stream', { exact: true }).waitFor();
    expect(await page.title()).toBe('alpha · Switchover');
    expect(foreign).toEqual([]);
  });

  test('a migration that takes long is started, seen, and cancelled', async () => {
    await page.getByRole('button', { name: 'Migrate' }).click();
    await page.getByLabel('b, rate in live rounds').fill('4Mbit/s');
    await page.getByLabel('hogs beside the sender').fill('2');
    await page.getByLabel('the sender’s CPU').selectOption('5');
    await page.getByLabel('over the link').selectOption('lan');
    await page.screenshot({ path: join(pictures, 'dialog.png') });
    await page.locator('#dialog').getByRole('button', { name: 'Migrate' }).click();
    await page.locator('#now').getByText('sends while the guest runs').waitFor();
    await page.locator('#now canvas').waitFor();
    await page.locator('#now').getByText('to go').waitFor();
    await page.locator('#links').getByText('200 Mbit/s of 1 Gbit/s reserved').waitFor();
    await page.waitForTimeout(1_500);
    await page.screenshot({ path: join(pictures, 'running.png') });
    await page.locator('#now').getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#now').getByText('cancelled', { exact: true }).first().waitFor();
    await page.locator('#links').getByText('0 bit/s of 1 Gbit/s reserved').waitFor();
    await page.locator('#guests').getByText('running', { exact: true }).waitFor();
  });

  test('a wrong rate is explained in the dialog, which stays open', async () => {
    await page.getByRole('button', { name: 'Migrate' }).click();
    await page.getByLabel('observe it first, for').fill('2s');
    await page.getByLabel('b, rate in live rounds').fill('0.000001kbit/s');
    await page.locator('#dialog').getByRole('button', { name: 'Migrate' }).click();
    await page
      .locator('#dialog')
      .getByText(/link\.rate: expected a rate/)
      .waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  test('an experiment is started, seen to end, and one is cancelled', async () => {
    await page.getByRole('button', { name: 'New experiment' }).click();
    await page.locator('#dialog').getByRole('button', { name: 'Start' }).click();
    await page.locator('#experiments').getByText('completed', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'New experiment' }).click();
    await page.getByLabel('scenario (JSON)').fill(
      JSON.stringify({
        guest: { pages: 300_000, program: { kind: 'zipf', writesPerSecond: 10_000 } },
        link: { rate: '1Gbit/s' },
        runs: 900,
      }),
    );
    await page.locator('#dialog').getByRole('button', { name: 'Start' }).click();
    await page.locator('#experiments').getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#experiments').getByText('cancelled', { exact: true }).waitFor();
  });

  test('migrations are seen to finish, and their downtimes are drawn', async () => {
    await page.getByRole('button', { name: 'Migrate' }).click();
    await page.locator('#dialog').getByRole('button', { name: 'Migrate' }).click();
    await page.locator('#now').getByText('completed', { exact: true }).waitFor();
    await page.locator('#guests').getByText('No guests on this host').waitFor();
    await page.locator('#history canvas').waitFor();
    await page.screenshot({ path: join(pictures, 'finished.png'), fullPage: true });
  });

  test('when the daemon is gone it says so, and when it is back everything is there again', async () => {
    await alpha.end('SIGKILL');
    await page.getByText('connection lost, retrying').waitFor(PATIENCE);
    const fault = {
      folder: join(daemons.folder, 'alpha/state'),
      code: 'ENOSPC',
      whileThere: full(),
    } as const;
    alpha = await daemons.start('alpha', configuration, port, onFailingDisk(fault));
    await page.getByText('live', { exact: true }).waitFor(PATIENCE);
    await page.locator('#migrations').getByText('completed', { exact: true }).waitFor(PATIENCE);
    expect(await connection().getAttribute('class')).toContain('good');
    expect(foreign).toEqual([]);
  });

  const full = () => join(daemons.folder, 'full');

  test('a disk that is full is told of above everything else, until there is space', async () => {
    const alarm = page.getByText(/This daemon takes nothing new: cannot write .*diary\.ndjson: ENOSPC/);
    expect(await alarm.isVisible()).toBe(false);
    writeFileSync(full(), '');
    await alarm.waitFor(PATIENCE);
    await page.screenshot({ path: join(pictures, 'full-disk.png') });
    rmSync(full());
    await alarm.waitFor({ ...PATIENCE, state: 'hidden' });
  });

  test('fits a phone, in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await eventually(
      () => page.evaluate<number>('document.documentElement.scrollWidth'),
      (width) => width <= 390,
    );
    await page.screenshot({ path: join(pictures, 'phone-dark.png'), fullPage: true });
    await page.setViewportSize({ width: 1280, height: 1000 });
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, 'dark.png'), fullPage: true });
  });
});
