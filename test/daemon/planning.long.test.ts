import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answered, ask, Daemons, eventually, guestsOf } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const program = { kind: 'classes', classes: [{ pages: 60, writesPerSecond: 15 }] };
const asked = {
  to: 'beta',
  over: 'lan',
  target: 'downtime<=400ms@0.8, total<=20s@0.8',
  migration: { observe: '200ms' },
};
/** So sure that its certificate alone needs tens of thousands of migrations. */
const endless = { ...asked, guest: 'other', target: 'downtime<=400ms@0.9999' };

describe('a plan that a daemon makes', { timeout: 200_000 }, () => {
  const daemons = new Daemons();
  let alpha: ServedDaemon;
  let configuration: object;
  beforeAll(async () => {
    const guests = ['light', 'other'].map((name) => ({ name, pages: 400, program }));
    const links = { lan: { capacity: '100Mbit/s' } };
    ({ alpha, configuration } = await daemons.pair({ guests, links }));
  });
  afterAll(() => daemons.end());

  async function post(body: object, key: string, signal?: AbortSignal): Promise<Answered> {
    const answer = await fetch(`http://${alpha.address}/api/migrations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Of its process, by the kernel. */
  const threads = () => readdirSync(`/proc/${alpha.pid}/task`).length;
  /** It has its own thread, and those that this one has started. */
  const isBegun = (before: number) =>
    eventually(
      async () => threads(),
      (count) => count >= before + 2,
    );
  const migrations = async () => (await ask(alpha, 'GET', '/api/migrations')).body as Answered['body'][];

  test('is made once for requests that come twice with a key, also while it is being made', async () => {
    const request = { ...asked, guest: 'light' };
    const [first, second] = await Promise.all([post(request, 'once'), post(request, 'once')]);
    expect([first!.status, second!.status], JSON.stringify(first)).toEqual([202, 202]);
    expect(second!.body.id).toBe(first!.body.id);
    const [{ id, target }, ...more] = await migrations();
    expect([id, more]).toEqual([first!.body.id, []]);
    expect((await post({ ...request, target: 'downtime<=1s@0.8' }, 'once')).status).toBe(422);
    await eventually(migrations, ([view]) => view.endedAt !== null);
    const again = await post(request, 'once');
    expect([again.status, again.body.id, again.body.target]).toEqual([202, id, target]);
    expect(await migrations()).toHaveLength(1);
  });

  test('ends with whoever asked for it, with all its threads; under the same key it is made anew', async () => {
    const before = threads();
    const gone = new AbortController();
    const first = post(endless, 'gone', gone.signal);
    await isBegun(before);
    gone.abort();
    await expect(first).rejects.toThrow();
    await eventually(
      async () => threads(),
      (count) => count <= before,
    );
    const next = new AbortController();
    const second = post(endless, 'gone', next.signal);
    await isBegun(before);
    expect(await migrations()).toHaveLength(1);
    next.abort();
    await expect(second).rejects.toThrow();
    await eventually(
      async () => threads(),
      (count) => count <= before,
    );
  });

  test('ends with its daemon: whoever waits is told, and nothing of it is left', async () => {
    const before = threads();
    const waiting = post(endless, 'waits');
    await isBegun(before);
    const ended = alpha.end();
    const { status, body } = await waiting;
    expect([status, body.detail]).toEqual([503, 'this daemon is about to end']);
    expect(await ended).toBe(0);
    const log = readFileSync(join(daemons.folder, 'alpha/state/diary.ndjson'), 'utf8');
    expect(log.match(/"kind":"begun"/g)).toHaveLength(1);

    alpha = await daemons.start('alpha', configuration);
    const [remembered, ...more] = await migrations();
    expect([remembered.guest, more]).toEqual(['light', []]);
    const { body: links } = await ask(alpha, 'GET', '/api/links');
    expect(links[0].reservedBytesPerSecond).toBe(0);
    const guests = await guestsOf(alpha)();
    expect(guests.find(({ name }) => name === 'other')).toMatchObject({ state: 'running' });
  });
});
