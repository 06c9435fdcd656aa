import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../src/daemon/operations.ts';
import { ask, Daemons, eventually, stream } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const daemons = new Daemons();
const key = randomBytes(32).toString('base64');
let [open, keyed]: ServedDaemon[] = [];

beforeAll(async () => {
  daemons.placeKey('keyed', 'api.key', key);
  [open, keyed] = await Promise.all([
    daemons.start('open', { guests: [stream] }),
    daemons.start('keyed', { api: { keyFile: 'api.key', hosts: ['keyed.example'] }, guests: [stream] }),
  ]);
});
afterAll(() => daemons.end());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Of a stream of events only the beginning. */
function send(
  daemon: ServedDaemon | undefined,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  const signal = AbortSignal.timeout(10_000);
  return new Promise((resolve, reject) => {
    const asking = request(`http://${daemon!.address}${path}`, { method, headers, signal, agent: false });
    asking.on('error', reject);
    asking.on('response', async (response) => {
      let text = '';
      const isEndless = method === 'GET' && response.headers['content-type'] === 'text/event-stream';
      if (isEndless) response.destroy();
      else for await (const part of response.setEncoding('utf8')) text += part;
      resolve({ status: response.statusCode!, headers: response.headers, text });
    });
    asking.end(body);
  });
}

const json = { 'content-type': 'application/json' };
const pause = '/api/guests/stream/pause';
const isRunning = async () =>
  expect((await ask(open!, 'GET', '/api/guests/stream')).body).toMatchObject({ state: 'running' });

describe('what a browser sends unasked for a page of any site changes nothing:', () => {
  test.each([
    ['without a body', undefined, undefined],
    ['a form', 'application/x-www-form-urlencoded', ''],
    ['a form with a file', 'multipart/form-data; boundary=x', '--x--'],
    ['a text', 'text/plain', '{}'],
    ['a text that mentions JSON', 'text/plain; application/json', '{}'],
    ['a beacon', 'text/ping', 'PING'],
  ])('%s', async (_, type, body) => {
    const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
    const answer = await send(open, 'POST', pause, headers, body);
    expect(answer.status).toBe(415);
    expect(answer.text).toContain('expected the header \\"content-type: application/json\\"');
    await isRunning();
  });

  test.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null' },
    { origin: 'http://localhost:1' },
  ])('with %j, whatever it is called', async (headers) => {
    expect((await send(open, 'POST', pause, { ...json, ...headers } as Record<string, string>)).status).toBe(
      403,
    );
    await isRunning();
  });

  test('nor is a browser that asks first allowed it', async () => {
    const asked = {
      origin: 'http://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const { status, headers } = await send(open, 'OPTIONS', pause, asked);
    expect(status).toBe(204);
    expect(headers.allow).toBe('POST, OPTIONS');
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('what the page of the daemon itself sends does', async () => {
    const headers = { ...json, origin: `http://${open!.address}`, 'sec-fetch-site': 'same-origin' };
    expect((await send(open, 'POST', pause, headers)).status).toBe(200);
    expect((await send(open, 'POST', '/api/guests/stream/resume', headers, '{}')).status).toBe(200);
  });
});

describe('under a name that others can give to this host', () => {
  test.each([
    '/api/state',
    '/api/events',
    '/metrics',
    '/metrics/node',
    '/',
    '/healthz',
    '/nothing',
  ])('nothing is answered at %s, with a key or without', async (path) => {
    for (const daemon of [open, keyed])
      expect((await send(daemon, 'GET', path, { host: 'evil.example' })).status).toBe(421);
  });

  test('something is, once the configuration knows it', async () => {
    const state = (host: string) => send(keyed, 'GET', '/api/state', { host });
    expect((await state('keyed.example:80')).status).toBe(200);
    expect((await state('renamed.example')).status).toBe(421);
    daemons.configure('keyed', {
      api: { keyFile: 'api.key', hosts: ['renamed.example'] },
      guests: [stream],
    });
    keyed!.signal('SIGHUP');
    await eventually(
      () => state('renamed.example'),
      ({ status }) => status === 200,
    );
    expect((await state('keyed.example')).status).toBe(421);
  });
});

const isNamed = await lookup(hostname()).then(
  () => true,
  () => false,
);
test.skipIf(!isNamed)('the name on which a daemon listens is its own', async () => {
  daemons.placeKey('named', 'api.key', key);
  const options = ['--listen', `${hostname()}:0`];
  const named = await daemons.start('named', { api: { keyFile: 'api.key' } }, 0, { options });
  expect((await send(named, 'GET', '/healthz')).status).toBe(200);
  expect((await send(named, 'GET', '/healthz', { host: 'evil.example' })).status).toBe(421);
});

describe('whoever changes something without the right key', () => {
  const wrong = { authorization: `Bearer ${key.slice(1)}` };

  test('is told how to bring it (RFC 9110, 11.6.1)', async () => {
    const without = await send(keyed, 'POST', pause, json);
    expect(without).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="switchover"' },
    });
    const other = await send(keyed, 'POST', pause, { ...json, ...wrong });
    expect(other).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="switchover", error="invalid_token"' },
    });
  });

  test('is counted', async () => {
    const count = async () => {
      const { text } = await send(keyed, 'GET', '/metrics');
      return Number(/^switchover_authentication_failures_total (\d+)$/m.exec(text)?.[1]);
    };
    const before = await count();
    expect(before).toBeGreaterThan(0);
    await send(keyed, 'DELETE', '/api/guests/stream', wrong);
    expect(await count()).toBe(before + 1);
  });

  test.each([
    'bearer',
    'BEARER',
    'Bearer',
  ])('but %s is as good a name of the scheme as any', async (scheme) => {
    const headers = { ...json, authorization: `${scheme} ${key}` };
    expect((await send(keyed, 'POST', '/api/guests/stream/resume', headers)).status).toBe(200);
  });
});

describe('of whatever can be read', () => {
  const paths = Object.values(operations)
    .filter(({ method, url }) => method === 'GET' && !url.includes(':'))
    .map(({ url }) => url);

  test.each(paths)('HEAD %s tells the same as GET, without a body', async (path) => {
    const [head, get] = [await send(open, 'HEAD', path), await send(open, 'GET', path)];
    expect(head.status).toBe(get.status);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect(head.text).toBe('');
  });

  test('nobody watches who has only asked for the head of the events', async () => {
    await send(open, 'HEAD', '/api/events');
    const { text } = await send(open, 'GET', '/metrics');
    expect(text).toMatch(/^switchover_event_watchers 0$/m);
  });
});

test('a method that is not for a path is refused with those that are', async () => {
  expect(await send(open, 'PUT', '/api/guests/stream', json, '{}')).toMatchObject({
    status: 405,
    headers: { allow: 'GET, DELETE, HEAD, OPTIONS' },
  });
  expect((await send(open, 'POST', '/api/links', json, '{}')).status).toBe(405);
  expect((await send(open, 'GET', pause)).status).toBe(405);
  expect((await send(open, 'OPTIONS', '/api/nothing')).status).toBe(404);
});
