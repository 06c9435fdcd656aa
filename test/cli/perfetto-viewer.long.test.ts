import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../fixtures/command.ts';

const CHROMIUM = '/usr/bin/chromium';
const require = createRequire(import.meta.url);
const viewer = join(dirname(require.resolve('speedscope/package.json')), 'dist/release');
const folder = mkdtempSync(join(tmpdir(), 'switchover-viewer-'));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};
const server = createServer(({ url = '/' }, answer) => {
  const file = join(viewer, new URL(url, 'http://viewer').pathname.replace(/\/$/, '/index.html'));
  if (!existsSync(file)) answer.writeHead(404).end();
  else
    answer
      .setHeader('content-type', types[extname(file)] ?? 'application/octet-stream')
      .end(readFileSync(file));
});
beforeAll(() => new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens)));
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(!existsSync(CHROMIUM))(
  'speedscope, a viewer of the trace-event format that others wrote',
  () => {
    test('reads a timeline: every track, and stretches that lie in one another', async () => {
      const timeline = join(folder, 'timeline.json');
      const options = ['--runs', '1', '--quiet', '--perfetto', timeline];
      expect(spawnSync(process.execPath, [main, 'run', '13-cpu-reservations', ...options]).status).toBe(0);
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const said: string[] = [];
        page.on('console', (message) => said.push(message.text()));
        page.on('pageerror', (error) => said.push(`failed: ${error}`));
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await page.setInputFiles('input[type=file]', timeline, { timeout: 10_000 });
        // Rounds, stop, the guest at its destination, one processor, two reservations.
        await page.getByText('(1/6)').waitFor({ timeout: 20_000 });
        expect(await page.title()).toContain('timeline.json');
        expect(said).toContain('Importing as Trace Event Format profile');
        expect(said.filter((text) => /failed|tried to end|unbalanced|invalid|mismatch/i.test(text))).toEqual(
          [],
        );
      } finally {
        await browser.close();
      }
    });
  },
);
