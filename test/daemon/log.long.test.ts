import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/daemon/api-key.ts';
import { ask, Daemons, eventually, quick, slow, stream } from '../fixtures/daemons.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const daemons = new Daemons();
afterAll(() => daemons.end());

const key = randomBytes(32).toString('base64');
const withKey = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };

async function send(daemon: ServedDaemon, method: string, path: string, headers: object, body?: object) {
  const answer = await fetch(`http://${daemon.address}${path}`, {
    method,
    headers: { ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** Lines of the log that are about such an event, once there are so many. */
function linesOf(daemon: ServedDaemon, event: string, most: number) {
  const look = async () =>
    daemon.log
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
      .filter((line) => line.event === event);
  return eventually(look, (lines) => lines.length >= most);
}

test('who changes what, and how migrations begin and end, is in the log of both ends, and no key is', async () => {
  for (const name of ['leaving', 'taking']) daemons.placeKey(name, 'a.key', key);
  const address = `127.0.0.1:${await freePort()}`;
  const [alpha, beta] = await Promise.all([
    daemons.start('leaving', {
      api: { keyFile: 'a.key' },
      peers: { beta: { address, keyFile: 'a.key' } },
      guests: [stream],
    }),
    daemons.start('taking', { receive: { listen: address, keyFile: 'a.key' } }),
  ]);
  await send(alpha, 'POST', '/api/guests/stream/pause?key=hidden', withKey);
  await send(alpha, 'POST', '/api/guests/stream/pause', withKey);
  await send(alpha, 'POST', '/api/guests/stream/resume', withKey);
  await send(alpha, 'DELETE', '/api/guests/stream', { authorization: 'Bearer wrong' });
  await send(alpha, 'DELETE', '/api/guests/stream', {});
  await send(alpha, 'POST', '/api/guests/stream/pause', { ...withKey, origin: 'http://evil.example' });
  const { text } = await send(alpha, 'POST', '/api/migrations', withKey, {
    guest: 'stream',
    to: 'beta',
    ...quick,
  });
  const { id } = JSON.parse(text);

  const [ended] = await linesOf(alpha, 'migration ended', 1);
  const about = { migration: id, guest: 'stream' };
  expect(ended).toMatchObject({ ...about, peer: 'beta', outcome: 'completed', owner: 'destination' });
  expect(ended.downtimeNs).toBeGreaterThan(0);
  expect(ended.msg).toMatch(
    /^migration of guest 'stream' to beta: completed; owner: destination; downtime: /,
  );
  const [begun] = await linesOf(alpha, 'migration begun', 1);
  expect(begun).toMatchObject({ ...about, peer: 'beta' });

  const [arrived] = await linesOf(beta, 'arrival ended', 1);
  expect(arrived).toMatchObject({ guest: 'stream', outcome: 'completed', owner: 'destination' });
  expect(arrived.resumeNs).toBeGreaterThan(0);
  const [arriving] = await linesOf(beta, 'arrival begun', 1);
  expect(arriving).toMatchObject({ guest: 'stream', migration: arrived.migration, peer: arrived.peer });

  const changes = await linesOf(alpha, 'change', 7);
  const pause = { method: 'POST', path: '/api/guests/stream/pause', id: 'stream', key: fingerprintOf(key) };
  const end = { method: 'DELETE', path: '/api/guests/stream', id: 'stream' };
  expect(changes).toMatchObject([
    { ...pause, status: 400, level: 40 },
    { ...pause, status: 200, level: 30 },
    { ...pause, path: '/api/guests/stream/resume', status: 200 },
    { ...end, key: 'wrong', status: 401, level: 40 },
    { ...end, key: 'none', status: 401 },
    { ...pause, status: 403 },
    { method: 'POST', path: '/api/migrations', id, key: fingerprintOf(key), status: 202 },
  ]);
  for (const { from } of changes) expect(from).toMatch(/^127\.0\.0\.1:\d+$/);
  for (const { log } of [alpha, beta]) {
    expect(log).not.toContain(key);
    expect(log).not.toContain('hidden');
  }
});

test('a migration that was cut short by a kill ends in the log of the next process', async () => {
  const { alpha, configuration } = await daemons.pair();
  const { body } = await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow });
  const [begun] = await linesOf(alpha, 'migration begun', 1);
  await alpha.end('SIGKILL');
  const again = await daemons.start('alpha', configuration);
  const [ended] = await linesOf(again, 'migration ended', 1);
  expect([begun.migration, ended.migration]).toEqual([body.id, body.id]);
  expect(ended).toMatchObject({ peer: 'beta', outcome: 'failed', owner: 'source' });
  expect(ended.reason).toContain('this daemon was killed meanwhile');
});
