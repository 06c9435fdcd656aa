import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServedDaemon } from '../../examples/demo.ts';
import { badRequests } from '../fixtures/bad-requests.ts';
import { ask, Daemons, stream } from '../fixtures/daemons.ts';

const daemons = new Daemons();
const key = randomBytes(32).toString('base64');
let daemon: ServedDaemon;

beforeAll(async () => {
  mkdirSync(join(daemons.folder, 'strict'), { recursive: true });
  writeFileSync(join(daemons.folder, 'strict/api.key'), `${key}\n`);
  chmodSync(join(daemons.folder, 'strict/api.key'), 0o600);
  daemon = await daemons.start('strict', {
    api: { keyFile: 'api.key' },
    limits: { body: '64KiB' },
    guests: [stream],
  });
});
afterAll(() => daemons.end());

function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Response> {
  const signal = AbortSignal.timeout(30_000);
  return fetch(`http://${daemon.address}${path}`, {
    method,
    headers,
    signal,
    ...(body !== undefined && { body }),
  });
}

const withKey = { authorization: `Bearer ${key}` };
const json = { 'content-type': 'application/json' };

test('all that is wrong is said at once, with where, what was expected and what was found', async () => {
  const wrong = { guest: 7, to: '', link: {}, priority: 12, colour: 'red' };
  const answer = await send('POST', '/api/migrations', { ...json, ...withKey }, JSON.stringify(wrong));
  expect(answer.status).toBe(400);
  const { problems } = (await answer.json()) as { problems: { path: string; found: string }[] };
  expect(problems.map(({ path }) => path).sort()).toEqual([
    'body.colour',
    'body.guest',
    'body.link.rate',
    'body.priority',
    'body.to',
  ]);
  expect(problems.find(({ path }) => path === 'body.priority')).toMatchObject({ found: '12' });
  const scenario = { guest: { pages: 1, program: { kind: 'zip' } }, link: { rate: 'fast' } };
  const other = await send('POST', '/api/experiments', { ...json, ...withKey }, JSON.stringify({ scenario }));
  expect(((await other.json()) as { problems: { path: string }[] }).problems.map(({ path }) => path)).toEqual(
    ['guest.pages', 'guest.program.kind', 'link.rate'],
  );
});

test('who changes something without the key, or with another one, is told so and changes nothing', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer no' },
    { authorization: key },
    { authorization: `Bearer ${key}x` },
  ]) {
    const answer = await send('DELETE', '/api/guests/stream', headers as Record<string, string>);
    expect(answer.status).toBe(401);
    expect(((await answer.json()) as { error: string }).error).toMatch(/key/i);
  }
  expect((await ask(daemon, 'GET', '/api/guests/stream')).body.state).toBe('running');
  expect((await send('POST', '/api/guests/stream/pause', withKey)).status).toBe(200);
  expect((await send('POST', '/api/guests/stream/resume', withKey)).status).toBe(200);
});

test('a body that is too long is not read to its end', async () => {
  const body = JSON.stringify({ scenario: { describe: 'x'.repeat(100_000) } });
  expect((await send('POST', '/api/experiments', { ...json, ...withKey }, body)).status).toBe(413);
});

test('a matrix of more combinations than anybody could wait for is refused before it is expanded', async () => {
  const values = Array.from({ length: 60 }, (_, index) => index + 1);
  const compare = Object.fromEntries(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [`migration.${name}`, values]),
  );
  const scenario = {
    guest: { pages: 10, program: { kind: 'zipf', writesPerSecond: 1 } },
    link: { rate: '1Mbit/s' },
    compare,
  };
  const answer = await send(
    'POST',
    '/api/experiments',
    { ...json, ...withKey },
    JSON.stringify({ scenario }),
  );
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/combinations/);
});

test('a scenario from elsewhere cannot name a file of this host', async () => {
  const scenario = {
    guest: { pages: 10, program: { kind: 'trace', file: '/etc/passwd' } },
    link: { rate: '1Mbit/s' },
  };
  const answer = await send(
    'POST',
    '/api/experiments',
    { ...json, ...withKey },
    JSON.stringify({ scenario }),
  );
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/guest\.program\.file/);
});

// The last one: it may well end the guest.
test('whatever is sent, the answer comes, is never a 5xx, and a refusal has a reason', {
  timeout: 180_000,
}, async () => {
  const document = await (await send('GET', '/openapi.json', {})).json();
  const requests = badRequests(document as Parameters<typeof badRequests>[0]);
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, headers, body }) => {
      const answer = await send(method, path, { ...headers, ...withKey }, body);
      const text = await answer.text();
      expect(answer.status, `${method} ${path} ${body}: ${text}`).toBeLessThan(500);
      if (answer.status >= 400) expect(JSON.parse(text).error, `${method} ${path}`).toMatch(/\w/);
    }),
    { numRuns: 300, endOnFailure: true },
  );
  expect((await send('GET', '/healthz', {})).status).toBe(200);
});
