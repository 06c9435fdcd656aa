import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badRequests } from '../fixtures/bad-requests.ts';
import { ask, Daemons, stream } from '../fixtures/daemons.ts';
import { storm } from '../fixtures/request-storm.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

/** What is written of a request before nothing more comes; what is begun first is looked at last, as it takes long. */
const halves = {
  'nothing at all': '',
  'half a line': 'POST /api/gue',
  'half a header': 'GET /api/guests HTTP/1.1\r\nhost: localhost\r\nx-half: ',
  'half a body':
    'POST /api/guests HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer KEY\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name": ',
  'half a body, without the key':
    'POST /api/guests HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name": ',
  'a body byte by byte':
    'POST /api/guests HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer KEY\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n',
} as const;
const answers = new Map<string, Promise<string>>();
let watching: Response;

const daemons = new Daemons();
const key = randomBytes(32).toString('base64');
let daemon: ServedDaemon;

beforeAll(async () => {
  mkdirSync(join(daemons.folder, 'strict'), { recursive: true });
  writeFileSync(join(daemons.folder, 'strict/api.key'), `${key}\n`);
  chmodSync(join(daemons.folder, 'strict/api.key'), 0o600);
  daemon = await daemons.start('strict', {
    api: { keyFile: 'api.key' },
    limits: { body: '64KiB', guests: 4, guestMemory: '64MiB' },
    guests: [stream],
  });
  for (const [name, half] of Object.entries(halves)) {
    answers.set(name, answerTo(half.replace('KEY', key), name.endsWith('byte by byte')));
  }
  watching = await fetch(`http://${daemon.address}/api/events`);
});
afterAll(() => daemons.end());

/** What a socket hears that sends so much and then nothing, or a byte now and then, until the other end hangs up. */
function answerTo(half: string, goesOn: boolean): Promise<string> {
  const [host, port] = daemon.address.split(':');
  const socket = connect(Number(port), host!);
  socket.write(half);
  const more = goesOn ? setInterval(() => socket.write('1'), 500) : undefined;
  return new Promise((resolve) => {
    let heard = '';
    socket.on('data', (text) => {
      heard += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(more);
      resolve(heard);
    });
  });
}

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
    ['body.scenario.guest.pages', 'body.scenario.guest.program.kind', 'body.scenario.link.rate'],
  );
});

const migration = { guest: 'stream', to: '127.0.0.1:9', link: { rate: '1Mbit/s' } };
const scenario = {
  guest: { pages: 10, program: { kind: 'zipf', writesPerSecond: 1 } },
  link: { rate: '1Mbit/s' },
};

describe('what cannot be honoured is refused with its path, and not ignored:', () => {
  test.each<[string, string, object]>([
    ...['capacity', 'least', 'name', 'overhead'].map((key): [string, string, object] => [
      `body.link.${key}`,
      '/api/migrations',
      { ...migration, link: { ...migration.link, [key]: key === 'name' ? 'lan' : '1Mbit/s' } },
    ]),
    [
      'body.link.changes',
      '/api/migrations',
      { ...migration, link: { ...migration.link, changes: [{ at: '1s', capacity: '1Mbit/s' }] } },
    ],
    ...[
      { kind: 'memory-hog' },
      { kind: 'garbage', rate: '1MB/s' },
      { kind: 'cross-traffic', rate: '1Mbit/s' },
      { kind: 'link-drop', every: '1s', length: '1ms' },
      { kind: 'slow-destination', rate: '1Mbit/s' },
      { kind: 'guest-burst', every: '1s', length: '1ms', factor: 2 },
      { kind: 'timer-noise', mean: '1ms' },
    ].map((antagonist): [string, string, object] => [
      'body.background.0.kind',
      '/api/migrations',
      { ...migration, background: [antagonist] },
    ]),
    ['body.fleet', '/api/migrations', { ...migration, fleet: [{ count: 2 }] }],
    ['body.scheduler', '/api/guests', { ...scenario.guest, name: 'a', scheduler: 'cbs-soft' }],
    [
      'body.scheduler',
      '/api/guests',
      { ...scenario.guest, name: 'a', scheduler: 'fair', reservation: { budget: '1ms', period: '9ms' } },
    ],
    [
      'body.program.kind',
      '/api/guests',
      { ...scenario.guest, name: 'a', program: { kind: 'trace', file: '/etc/passwd' } },
    ],
    ['body.scenario.sweep', '/api/experiments', { scenario: { ...scenario, sweep: { grid: {} } } }],
    ['body.scenario.stress', '/api/experiments', { scenario: { ...scenario, stress: {} } }],
    ['body.scenario.vm.delta', '/api/experiments', { scenario: { ...scenario, vm: { delta: true } } }],
    [
      'body.scenario.qemu.multifd',
      '/api/experiments',
      { world: 'threads', scenario: { ...scenario, compare: { 'qemu.multifd': [0, 2] } } },
    ],
    ['query.dry', '/api/experiments?dry=1', { scenario }],
    ['body.until', '/api/guests/stream/pause', { until: '1s' }],
    ['body.patienceSeconds', '/api/migrations', { ...migration, patienceSeconds: 5, queueTimeoutSeconds: 5 }],
    ['body.patienceSeconds', '/api/experiments', { scenario, patienceSeconds: 5, queueTimeoutSeconds: 5 }],
  ])('%s of %s %j', async (path, url, body) => {
    const answer = await send('POST', url, { ...json, ...withKey }, JSON.stringify(body));
    expect(answer.status).toBe(400);
    const { problems } = (await answer.json()) as { problems: { path: string }[] };
    expect(problems.map((problem) => problem.path)).toEqual([path]);
  });

  test('what can be is taken, under the former name of a key too', async () => {
    for (const more of [{ queueTimeoutSeconds: 5 }, { patienceSeconds: 5 }]) {
      const body = JSON.stringify({ scenario, ...more });
      expect((await send('POST', '/api/experiments', { ...json, ...withKey }, body)).status).toBe(202);
    }
  });
});

describe('what a short body asks for is bounded:', () => {
  const link = { rate: '1Mbit/s' };
  const inside = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const compared = (path: string) => JSON.stringify({ scenario: { ...scenario, compare: { [path]: [1] } } });
  test.each<[string, string, string, RegExp]>([
    [
      'objects in objects',
      '/api/experiments',
      `{"scenario":${inside(10_000)}}`,
      /at most 64 levels of nesting/,
    ],
    ['lists in lists', '/api/migrations', '['.repeat(60_000), /at most 64 levels of nesting/],
    ['a path of many parts', '/api/experiments', compared('a.'.repeat(20_000)), /a path of at most 16 parts/],
    [
      'a place behind the end of a list',
      '/api/experiments',
      JSON.stringify({
        scenario: {
          ...scenario,
          background: [{ kind: 'cpu-hog' }],
          compare: { 'background.999999999': [1] },
        },
      }),
      /a place from 0 to 1 of the list/,
    ],
    [
      'four billion pages',
      '/api/guests',
      JSON.stringify({ ...scenario.guest, name: 'a', pages: 4_294_967_295 }),
      /a whole number from 2 to 1073741824/,
    ],
    [
      'a heartbeat a nanosecond',
      '/api/guests',
      JSON.stringify({ ...scenario.guest, name: 'a', heartbeat: '1ns' }),
      /at least 10 µs/,
    ],
    [
      'a billion windows of observation',
      '/api/migrations',
      JSON.stringify({
        guest: 'stream',
        to: '127.0.0.1:9',
        link,
        migration: { observe: '1s', window: '1ns' },
      }),
      /at most 100000 windows/,
    ],
  ])('%s', async (_, url, body, message) => {
    const answer = await send('POST', url, { ...json, ...withKey }, body);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(message)]);
  });
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
  expect((await send('POST', '/api/guests/stream/pause', { ...json, ...withKey })).status).toBe(200);
  expect((await send('POST', '/api/guests/stream/resume', { ...json, ...withKey })).status).toBe(200);
});

test('a page of another origin changes nothing, even through a browser that has the key', async () => {
  const pause = (origin: string) => send('POST', '/api/guests/stream/pause', { ...json, ...withKey, origin });
  for (const origin of ['http://elsewhere.example', 'https://elsewhere.example:8443', 'null', 'nonsense']) {
    const answer = await pause(origin);
    expect(answer.status, origin).toBe(403);
    expect(((await answer.json()) as { error: string }).error).toContain('another origin');
  }
  expect((await ask(daemon, 'GET', '/api/guests/stream')).body.state).toBe('running');
  expect((await pause(`http://${daemon.address}`)).status).toBe(200);
  expect((await send('POST', '/api/guests/stream/resume', { ...json, ...withKey })).status).toBe(200);
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

// After those that need the guest: it may well end it.
test('whatever is sent, the answer comes, is never a 5xx, and a refusal has a reason', async () => {
  const document = await (await send('GET', '/openapi.json', {})).json();
  const seed = Date.now() % 2 ** 31;
  const requests = fc.sample(badRequests(document as Parameters<typeof badRequests>[0]), {
    numRuns: 2_000,
    seed,
  });
  const { complaints, statuses } = await storm(daemon.address, requests, withKey);
  expect(complaints, `seed ${seed}`).toEqual([]);
  expect([...statuses.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 404, 415]));
  expect((await send('GET', '/readyz', {})).status).toBe(200);
  expect(daemon.log).not.toMatch(/an error of ours/);
});

test.each(Object.keys(halves))('who sends %s is told so, and is not waited for much longer', {
  timeout: 30_000,
}, async (name) => {
  const answer = await answers.get(name)!;
  expect(answer).toMatch(/^HTTP\/1\.1 4/);
  expect(answer).toMatch(
    /408 Request Timeout\r\n(.*\r\n)*\{.*"error":"the request was not complete within \d+ s"\}$/,
  );
});

test('who has sent the whole of one and waits for events may wait for long', async () => {
  await Promise.all(answers.values());
  const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
  await send('POST', '/api/guests', { ...json, ...withKey }, JSON.stringify({ ...stream, name: 'late' }));
  let heard = '';
  while (!heard.includes('"late"')) {
    const { value, done } = await reader.read();
    expect(done).toBe(false);
    heard += value;
  }
  await reader.cancel();
});
