import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../fixtures/command.ts';
import { ask, Daemons, eventually, guestsOf, slow, stream } from '../fixtures/daemons.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const daemons = new Daemons();
afterAll(() => daemons.end());

/** What the log says of a reload. */
async function reloaded(name: string, daemon: ServedDaemon, file: object | string): Promise<string> {
  const before = daemon.log.length;
  if (typeof file === 'string') daemons.configureText(name, file);
  else daemons.configure(name, file);
  daemon.signal('SIGHUP');
  const log = await eventually(
    async () => daemon.log.slice(before),
    (lines) => /configuration reloaded|old configuration is kept/.test(lines),
  );
  return log;
}

test('a reload cannot take away keys of a daemon that other hosts reach', async () => {
  const key = randomBytes(32).toString('base64');
  daemons.placeKey('wide', 'a.key', key);
  const api = { keyFile: 'a.key' };
  const receive = { listen: `0.0.0.0:${await freePort()}` };
  const kept = { api, receive: { ...receive, keyFile: 'a.key' } };
  const daemon = await daemons.start('wide', kept, 0, { options: ['--listen', '0.0.0.0:0'] });
  const links = { lan: { capacity: '1Gbit/s' } };
  for (const less of [
    { ...kept, api: {} },
    { ...kept, receive },
    { ...kept, receive: { ...receive, tls: 'off' } },
  ]) {
    expect(await reloaded('wide', daemon, { ...less, links })).toContain(
      'the old configuration is kept: listening on 0.0.0.0 needs a key',
    );
    expect((await ask(daemon, 'DELETE', '/api/guests/any')).status).toBe(401);
    // Nothing else of it holds, either.
    expect((await ask(daemon, 'GET', '/api/links')).body).toEqual([]);
  }
  expect(await reloaded('wide', daemon, { ...kept, links })).toContain('configuration reloaded');
});

describe('a reload', () => {
  let daemon: ServedDaemon;
  beforeAll(async () => {
    daemon = await daemons.start('alone');
  });

  test.each([
    ['no YAML', '{'],
    ['aliases without end', 'a: &a [x,x]\nb: &b [*a,*a]\nname: *b'],
    ['an unknown program', 'guests: [{ name: a, pages: 8, program: { kind: nothing-known } }]'],
    ['another type', '[]'],
  ])('that reads %s ends nothing', async (_, text) => {
    expect(await reloaded('alone', daemon, text)).toContain('the old configuration is kept');
    expect((await ask(daemon, 'GET', '/readyz')).status).toBe(200);
  });

  test('says what of it needs a restart', async () => {
    const log = await reloaded('alone', daemon, { limits: { body: '1KiB' } });
    expect(log).toContain('a restart is needed for limits.body');
  });
});

test('a daemon that is told to reload while it starts goes on', async () => {
  mkdirSync(join(daemons.folder, 'early'));
  daemons.configure('early', { guests: ['a', 'b', 'c', 'd'].map((name) => ({ ...stream, name })) });
  const serve = ['serve', '--config', join(daemons.folder, 'early/daemon.yaml'), '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, [main, ...serve]);
  let [said, log] = ['', ''];
  child.stdout.on('data', (text) => {
    said += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    if (log === '') child.kill('SIGHUP');
    log += text;
  });
  await eventually(
    async () => ({ said, ended: child.signalCode }),
    (now) => now.said.includes('listening on') || now.ended !== null,
  );
  expect(child.signalCode).toBe(null);
  expect(log).toContain('configuration reloaded');
  child.kill('SIGKILL');
});

test('a migration that waits goes to where its peer is once its turn has come, or nowhere', async () => {
  const [first, second] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const guests = ['a', 'b', 'c'].map((name) => ({ ...stream, name }));
  const at = (address: string) => ({ guests, peers: { beta: { address }, gamma: { address } } });
  const [alpha, beta] = await Promise.all([
    daemons.start('alpha', at(first)),
    daemons.start('beta', { receive: { listen: second } }),
    daemons.start('elsewhere', { receive: { listen: first } }),
  ]);
  const move = async (guest: string, to: string, how: object) =>
    (await ask(alpha, 'POST', '/api/migrations', { guest, to, ...how })).body.id as string;
  const quickly = { ...slow, link: { rate: '500Mbit/s' } };
  const running = await move('a', 'beta', slow);
  const waiting = await move('b', 'beta', quickly);
  const nowhere = await move('c', 'gamma', quickly);
  const { gamma: _, ...peers } = at(second).peers;
  expect(await reloaded('alpha', alpha, { guests, peers })).toContain('configuration reloaded');
  await ask(alpha, 'DELETE', `/api/migrations/${running}`);
  const ended = (id: string) =>
    eventually(
      async () => (await ask(alpha, 'GET', `/api/migrations/${id}`)).body,
      ({ endedAt }) => endedAt !== null,
    );
  expect(await ended(waiting)).toMatchObject({ state: 'completed' });
  expect(await ended(nowhere)).toMatchObject({
    state: 'failed',
    why: "peer 'gamma' is not in the configuration any more",
  });
  expect((await guestsOf(beta)()).map(({ name }) => name)).toEqual(['b']);
});
