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
  }, 120_000);
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

  async function asked(guest: string, target: string, link: string): Promise<void> {
    await opened.page.getByRole('button', { name: `Migrate ${guest}`, exact: true }).click();
    await opened.page.getByLabel(/^target/).fill(target);
    await opened.page.getByLabel('over the link').selectOption(link);
  }

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

  test('is planned for in a dry run, which says what would be reserved and how sure that is', async () => {
    await asked('light', 'downtime<=400ms@0.8, total<=20s@0.8', 'lan');
    await press('Dry run');
    await dialog().getByText('Planning…').waitFor();
    await dialog().getByText('certificate', { exact: true }).waitFor(PATIENCE);
    const text = await dialog().innerText();
    expect(text).toMatch(/link\.rate [\d.]+ ?[kM]bit\/s, link\.stopRate [\d.]+ ?[kM]bit\/s/);
    expect(text).toMatch(/kept in \d+ of \d+ migrations in virtual time: in at least \d+\.\d\d % of all/);
    expect(text).toContain('what else runs on the processors of guest and sender');
    await opened.isClean('target-dry-run');
    expect((await ask(alpha, 'GET', '/api/migrations')).body).toEqual([]);
    await press('Close');
  });

  test('that is none, or that cannot be kept, is explained in the dialog, which stays open', async () => {
    await asked('light', 'downtime<=soon', 'thin');
    await press('Migrate');
    await dialog()
      .getByText(/body\.target: expected/)
      .waitFor();
    await opened.page.getByLabel(/^target/).fill('total<=2s@0.8');
    await press('Migrate');
    await dialog()
      .getByText(/one copy of the memory, .* needs .* at 2 Mbit\/s/)
      .waitFor(PATIENCE);
    expect(await section('prediction').innerText()).toBe('');
    await opened.isClean('target-refused');
    await press('Close');
  });

  test('has its part on the page of its migration: limits, margins, verdict and certificate as the API says', async () => {
    await asked('light', 'downtime<=400ms@0.8, total<=20s@0.8', 'lan');
    await press('Migrate');
    await dialog().waitFor({ ...PATIENCE, state: 'hidden' });
    const { target, targetVerdict } = await endedMigration();
    const rows = await opened.page.evaluate<string[][]>(
      `[...[...document.querySelectorAll('#detail h3')].find((h) => h.textContent === 'Target')
        .nextElementSibling.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))`,
    );
    expect(rows).toEqual(targetVerdict.clauses.map(shown));
    const text = await section('detail').innerText();
    const { runs, kept, lowerBound } = target.certificate;
    expect(text).toContain(`kept in ${kept} of ${runs} migrations in virtual time`);
    expect(text).toContain(`in at least ${(100 * lowerBound).toFixed(2)} % of all, with 95 % confidence`);
    for (const { cut, missed } of target.sensitivity)
      expect(text).toContain(`${cut} ${missed ? 'misses' : 'still keeps'} it`);
    for (const left of target.leftOut) expect(text).toContain(left);
    await opened.isClean('target-migration');
    await opened.page.evaluate<void>('location.hash = "#/"');
  });

  test('that was missed is shown as missed, with how far it was', async () => {
    await asked('still', 'downtime<=1us@0.8', 'lan');
    await press('Migrate');
    await dialog().waitFor({ ...PATIENCE, state: 'hidden' });
    const { targetVerdict, record } = await endedMigration();
    expect(targetVerdict.kept).toBe(false);
    const text = await section('detail').innerText();
    expect(text).toContain('missed');
    if (record.outcome === 'completed') expect(text).toContain(`−${formatDuration(record.downtimeNs - 1e3)}`);
    await opened.isClean('target-missed');
  });
});

/** A row as the page has it. */
function shown({ metric, limitNs, probability, measuredNs, marginNs, kept }: Clause): string[] {
  const signed = (ns: number | null) =>
    ns === null ? '–' : ns < 0 ? `−${formatDuration(-ns)}` : formatDuration(ns);
  const limits = [metric, formatDuration(limitNs), `${100 * probability} %`];
  return [...limits, signed(measuredNs), signed(marginNs), kept ? 'kept' : 'missed'];
}

interface Clause {
  readonly metric: string;
  readonly limitNs: number;
  readonly probability: number;
  readonly measuredNs: number | null;
  readonly marginNs: number | null;
  readonly kept: boolean;
}
