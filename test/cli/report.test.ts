import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { switchover } from '../fixtures/command.ts';
import { sweepLines, writeLines } from '../fixtures/records.ts';

const CHROMIUM = '/usr/bin/chromium';
const attack = `"><script>document.title='owned'</script><img src=http://192.0.2.1/x onerror="document.title='owned'">'`;

/** What a browser makes of the page; as text, for these tests have no types of a document. */
const LOOK = `({
  title: document.title,
  heading: document.querySelector('h1')?.textContent,
  scripts: document.querySelectorAll('script').length,
  plots: document.querySelectorAll('figure svg').length,
  empty: [...document.querySelectorAll('figure')].filter((figure) => figure.getBoundingClientRect().height < 100).length,
  wide: document.documentElement.scrollWidth > window.innerWidth,
})`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder in which everything that has a name has a hostile one. */
function hostileFolder(): string {
  const hostile = join(folder, 'hostile');
  mkdirSync(hostile);
  const cells = [1, 2, 3].flatMap((b) =>
    [1, 2].map((d) => ({
      settings: {
        'link.rate': `${b}Mbit/s`,
        'link.stopRate': `${d}Mbit/s`,
        [attack]: `${attack}\u001b[2J${b}${d}`,
      },
      downtimeMs: 100 / d,
    })),
  );
  const lines = sweepLines(cells, 6).map((line) =>
    line.replaceAll('an experiment', JSON.stringify(attack).slice(1, -1)),
  );
  writeLines(hostile, 'records.ndjson', lines);
  writeFileSync(join(hostile, 'machine.json'), JSON.stringify([{ what: attack, found: attack }]));
  writeFileSync(
    join(hostile, 'design.json'),
    JSON.stringify({ name: attack, text: `describe: ${JSON.stringify(attack)}`, command: attack }),
  );
  const judgement = {
    threshold: attack,
    limit: 1,
    verdict: 'missed',
    estimate: { value: 2, low: 1, high: null },
  };
  writeFileSync(
    join(hostile, 'stress.json'),
    JSON.stringify({
      ramp: attack,
      levels: [attack],
      thresholds: [{ text: attack, metric: 'downtime', limit: 1 }],
      results: [{ level: 0, alternative: attack, runs: 6, verdict: 'missed', judgements: [judgement] }],
    }),
  );
  writeFileSync(
    join(hostile, `gantt.svg`),
    `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>parent.document.title='owned'</script><image href="http://192.0.2.1/y"/></svg>`,
  );
  return hostile;
}

describe('report', () => {
  test('of records and of nothing', async () => {
    const nothing = await switchover('report', folder);
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toMatch(/^switchover: .*no \*\.ndjson file with a record in it\n$/);
    const records = join(folder, 'records');
    mkdirSync(records);
    const run = [
      'run',
      'config/04-deferral.yaml',
      '--runs',
      '6',
      '--quiet',
      '--set',
      'compare={ migration.defer.count: [0, 200, 400] }',
    ];
    await switchover(...run, '--json', join(records, 'run.ndjson'));
    const { code, stdout } = await switchover('report', records);
    expect(code).toBe(0);
    expect(stdout).toMatch(/The shortest median downtime is that of cell 2 \(count 200\)/);
    for (const file of ['report.html', 'report.md', 'report.csv', 'plots/pareto.svg']) {
      expect(existsSync(join(records, file)), file).toBe(true);
    }
    expect(readFileSync(join(records, 'report.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(19);
    expect(readFileSync(join(records, 'plots/pareto.svg'), 'utf8')).toMatch(/^<svg color="#24292f" xmlns=/);
  });

  test.runIf(existsSync(CHROMIUM))(
    'in a browser: shows its plots, fits a phone, asks nothing of the network, and no name in it is obeyed',
    async () => {
      const hostile = hostileFolder();
      const { code, stdout } = await switchover('report', hostile);
      expect(code).toBe(0);
      expect(stdout).not.toContain('\u001b');
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
      try {
        for (const viewport of [
          { width: 1000, height: 800 },
          { width: 390, height: 800 },
        ]) {
          const page = await browser.newPage({ viewport });
          const requests: string[] = [];
          page.on('request', (request) => requests.push(request.url()));
          await page.goto(pathToFileURL(join(hostile, 'report.html')).href);
          const seen = await page.evaluate(LOOK);
          expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
          expect(seen).toEqual({
            title: attack,
            heading: attack,
            scripts: 0,
            plots: 6,
            empty: 0,
            wide: false,
          });
          await page.close();
        }
        const plots = readdirSync(join(hostile, 'plots'));
        expect(plots.length).toBeGreaterThanOrEqual(6);
        for (const plot of plots) {
          const page = await browser.newPage();
          await page.goto(pathToFileURL(join(hostile, 'plots', plot)).href);
          const wrong = await page.evaluate(`document.querySelectorAll('parsererror, script, img').length`);
          expect(wrong, plot).toBe(0);
          await page.close();
        }
      } finally {
        await browser.close();
      }
    },
  );

  test.skipIf(existsSync(CHROMIUM))(`in a browser: skipped, there is no ${CHROMIUM}`, () => {});
});
