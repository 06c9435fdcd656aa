import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatDuration } from '../../src/core/units.ts';
import { DaemonPage } from '../fixtures/daemon-page.ts';
import { ask, Daemons, eventually, has } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const light = { pages: 400, program: { kind: 'classes', classes: [{ pages: 60, writesPerSecond: 15 }] } };
/** In virtual time nothing of it is left for the pause, while messages between two hosts always take some time. */
const still = { pages: 400, program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] } };

/** Planning takes seconds, and on a busy machine more. */
const PATIENCE = { timeout: 120_000 };

describe.skipIf(!has('/usr/bin/chromium'))('a target on the live page', () => {
  const daemons = new Daemons();
  let alpha: ServedDaemon;
  let opened: DaemonPage;

  beforeAll(async () => {
    const guests = [
      { name: 'light', ...light },
      { name: 'still', ...still },
    ];
    const links = { lan: { capacity: '100Mbit/s' }, thin: { capacity: '2Mbit/s' } };
    ({ alpha } = await daemons.pair({ guests, links }));
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

  const section = (id: string) => opened.page.locator(`#${id}`);
  const dialog = () => section('dialog');
  const press = (name: string) => dialog().getByRole('button', { name, exact: true }).click();

  async function ask_(guest: string, target: string, link: string): Promise<void> {
    await opened.page.getByRole('button', { name: `Migrate ${guest}`, exact: true }).click();
    await opened.page.getByLabel(/^target/).fill(target);
    await opened.page.getByLabel('over the link').selectOption(link);
  }
  const close = () => press('Close');

  /** The page of the latest migration, once it has ended, and what the API says of it. */
  async function endedMigration() {
    const { body } = await eventually(
      () => ask(alpha, 'GET', '/api/migrations'),
      ({ body: [latest] }) => latest?.endedAt != null,
    );
    await opened.page.evaluate<void>(`location.hash = '#/migrations/${body[0].id}'`);
    await section('detail').getByRole('heading', { name: 'Target', exact: true }).waitFor();
    return body[0];
  }
});
