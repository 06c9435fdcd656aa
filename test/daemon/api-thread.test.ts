import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { large, links } from '../fixtures/daemon-clients.ts';
import { ask, Daemons, eventually, guestsOf, stream } from '../fixtures/daemons.ts';

let daemons: Daemons;
afterEach(() => daemons.end());

const request = { guest: large.name, to: '127.0.0.1:1', over: 'narrow', link: { rate: '10Mbit/s' } };

async function withLargeGuest() {
  daemons = new Daemons();
  return daemons.start('alone', { guests: [large], links });
}

test('a request that takes computing keeps no other waiting', async () => {
  const daemon = await withLargeGuest();
  const answered: string[] = [];
  const computed = ask(daemon, 'POST', '/api/migrations', request).then(({ status }) => {
    answered.push('computed');
    return status;
  });
  for (const path of ['/healthz', '/api/state', '/metrics', '/api/guests']) {
    expect((await ask(daemon, 'GET', path)).status).toBe(200);
    answered.push(path);
  }
  expect(await computed).toBe(422);
  expect(answered.at(-1)).toBe('computed');
});

test('of requests that take computing so many wait, and more are told when to come again', async () => {
  const daemon = await withLargeGuest();
  const ending = new AbortController();
  const answers = Array.from({ length: 40 }, async () => {
    const answer = await fetch(`http://${daemon.address}/api/migrations`, {
      method: 'POST',
      body: JSON.stringify(request),
      headers: { 'content-type': 'application/json' },
      signal: ending.signal,
    });
    return { status: answer.status, retryAfter: Number(answer.headers.get('retry-after')) };
  });
  const first = await Promise.race(answers);
  expect(first).toMatchObject({ status: 429, retryAfter: 1 });
  ending.abort();
  await Promise.allSettled(answers);
});

test('a thread of the API that dies takes no guest along, and has a successor', async () => {
  daemons = new Daemons();
  const [module, trigger] = [join(daemons.folder, 'fatal.mjs'), join(daemons.folder, 'die')];
  const library = pathToFileURL(resolve('dist/index.js'));
  writeFileSync(
    module,
    `import { existsSync, rmSync } from 'node:fs';
     import { workerData } from 'node:worker_threads';
     import { registerOrder } from '${library}';
     registerOrder({
       name: 'fatal',
       describe: 'by address',
       heat: 'none',
       dependsOnOthers: false,
       order: (pages) => [...pages],
     });
     if (workerData?.listen) setInterval(() => {
       if (!existsSync('${trigger}')) return;
       rmSync('${trigger}');
       throw new Error('as it was told');
     }, 20);`,
  );
  const daemon = await daemons.start('alone', { guests: [stream] }, 0, { options: ['--use', module] });
  const before = (await ask(daemon, 'GET', '/api/guests')).body[0].steps;
  writeFileSync(trigger, '');
  await eventually(
    async () => daemon.log,
    (log) => log.includes('the thread of the API has died: as it was told'),
  );
  expect(existsSync(trigger)).toBe(false);
  const [guest] = await eventually(
    () => guestsOf(daemon)().catch(() => []),
    (guests) => guests.length === 1,
  );
  expect(guest).toMatchObject({ name: 'stream', state: 'running' });
  expect((guest as unknown as { steps: number }).steps).toBeGreaterThan(before);
});
