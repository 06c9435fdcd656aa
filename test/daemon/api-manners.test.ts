import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, Daemons, eventually, slow } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const daemons = new Daemons();
let alpha: ServedDaemon;
beforeAll(async () => {
  ({ alpha } = await daemons.pair({ links: { lan: { capacity: '10Mbit/s' } } }));
});
afterAll(() => daemons.end());

const scenario = {
  guest: { pages: 50, program: { kind: 'zipf', writesPerSecond: 10 } },
  link: { rate: '50Mbit/s' },
};

const call = (path: string, { method = 'POST', body, ...headers }: Readonly<Record<string, unknown>> = {}) =>
  fetch(`http://${alpha.address}${path}`, {
    method: String(method),
    headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

test('a refusal is a problem by RFC 9457, and has what scripts read before', async () => {
  const answer = await call('/api/migrations', { body: { guest: 5 } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = (await answer.json()) as Record<string, unknown> & { problems: { path: string }[] };
  expect(problem).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
  expect(problem.error).toBe(problem.detail);
  expect(problem.problems.map(({ path }) => path)).toContain('body.guest');
  for (const path of ['/api/nothing', '/api/migrations/00000000-0000-4000-8000-000000000000']) {
    const { headers } = await call(path, { method: 'GET' });
    expect(headers.get('content-type'), path).toMatch(/^application\/problem\+json/);
  }
});

test('an experiment that is asked for twice under one key is there once', async () => {
  const asked = { 'idempotency-key': '"8e03978e"', body: { scenario } };
  const [first, second] = [await call('/api/experiments', asked), await call('/api/experiments', asked)];
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(second.headers.get('idempotency-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(await second.json()).toEqual(await first.json());
  expect((await ask(alpha, 'GET', '/api/experiments')).body.length).toBe(1);
  const other = await call('/api/experiments', { ...asked, body: { scenario, name: 'other' } });
  expect(other.status).toBe(422);
});

test('a list comes in pages, each with the address of the next', async () => {
  for (const name of ['two', 'three']) await ask(alpha, 'POST', '/api/experiments', { scenario, name });
  const names: string[] = [];
  let path: string | undefined = '/api/experiments?limit=2';
  while (path !== undefined) {
    const page = await call(path, { method: 'GET' });
    for (const { name } of (await page.json()) as { name: string }[]) names.push(name);
    path = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
  }
  expect(names).toEqual(['three', 'two', 'experiment']);
  const { status, body } = await ask(alpha, 'GET', '/api/experiments?limit=0&page=2');
  expect(status).toBe(400);
  expect(body.problems.map((one: { path: string }) => one.path).sort()).toEqual([
    'query.limit',
    'query.page',
  ]);
});

/** What is heard of `/api/events` until it holds something. */
async function heard(until: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const reader = (await call('/api/events', { method: 'GET', ...headers }))
    .body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  while (!text.includes(until)) text += (await reader.read()).value;
  await reader.cancel();
  return text;
}

test('whoever comes back hears what happened meanwhile, or that not all of it is known', async () => {
  const id = /^id: (.*)$/m.exec(await heard('id: '))![1]!;
  await ask(alpha, 'POST', '/api/guests/stream/pause');
  await ask(alpha, 'POST', '/api/guests/stream/resume');
  const missed = await heard('"state":"running"', { 'last-event-id': id });
  expect(missed).toContain('"state":"paused"');
  expect(await heard('event: ', { 'last-event-id': 'of another daemon' })).toContain('event: missed\n');
});

test('a dry run says what would be reserved and left, and why it would wait or never begin', async () => {
  const sender = { cpuPerPage: '20us', reservation: { budget: '5ms', period: '10ms' } };
  const request = {
    guest: 'stream',
    to: 'beta',
    over: 'lan',
    ...slow,
    sender,
    cpu: { scheduler: 'cbs-hard' },
  };
  const asked = async (more: object = {}) =>
    (await ask(alpha, 'POST', '/api/predictions', { ...request, ...more })).body;
  const free = await asked();
  expect(free).toMatchObject({
    begins: 'at once',
    why: null,
    reserves: { linkBytesPerSecond: 375_000, cpu: [{ holder: 'sender' }] },
    left: { link: { name: 'lan', leftBytesPerSecond: 875_000 } },
  });
  expect(free.left.cpu.leftProcessors).toBeCloseTo(free.left.cpu.reservableProcessors - 0.5);
  expect(free.estimate.completed).toBe(free.estimate.runs);
  expect(free.unguaranteed.downtime.medianNs).toBeGreaterThan(0);
  expect(free.leftOut.length).toBeGreaterThan(0);
  const never = await asked({ link: { rate: '11Mbit/s' } });
  expect(never).toMatchObject({ begins: 'never', why: expect.stringContaining("link 'lan'") });
  expect((await ask(alpha, 'GET', '/api/migrations')).body).toEqual([]);
  const { body } = await ask(alpha, 'POST', '/api/migrations', request);
  await eventually(
    () => ask(alpha, 'GET', '/api/cpu'),
    (view) => view.body.reserved.migration > 0,
  );
  const later = await asked({ link: { rate: '8Mbit/s' } });
  expect(later).toMatchObject({ begins: 'later', why: "it would wait for its turn and link 'lan'" });
  await ask(alpha, 'DELETE', `/api/migrations/${body.id}`);
});
