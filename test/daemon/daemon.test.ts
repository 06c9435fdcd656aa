import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { Slice } from '../../src/core/cpu/slice.ts';
import { ask, Daemons, eventually, guestsOf, quick, reading, slow, stream } from '../fixtures/daemons.ts';

let daemons: Daemons;
afterEach(() => daemons.end());

async function pair(more: object = {}) {
  daemons = new Daemons();
  return daemons.pair(more);
}

const rounds = (view: { body: { progress: { phase: string } | null } }) =>
  view.body.progress?.phase === 'live';

describe('a guest', () => {
  test('moves to another daemon and is there, and only there; both say so', async () => {
    const { alpha, beta } = await pair();
    const { status, body } = await ask(alpha, 'POST', '/api/migrations', {
      guest: 'stream',
      to: 'beta',
      ...quick,
    });
    expect(status).toBe(202);
    const ended = await eventually(
      () => ask(alpha, 'GET', `/api/migrations/${body.id}`),
      (view) => view.body.endedAt !== null,
    );
    expect(ended.body).toMatchObject({
      state: 'completed',
      record: { owner: 'destination', world: 'threads' },
    });
    expect(ended.body.record.predicted.downtimeNs).toBeGreaterThan(0);
    expect(await guestsOf(alpha)()).toEqual([]);
    await eventually(guestsOf(beta), (guests) => guests[0]?.state === 'running');
    const metrics = (await ask(alpha, 'GET', '/metrics')).body as string;
    expect(reading(metrics, 'switchover_migrations_total')).toBe(1);
    expect(reading(metrics, 'switchover_last_migration_completed{world="threads"}')).toBe(1);
  });

  test('stays and runs on when its migration is cancelled', async () => {
    const { alpha, beta } = await pair();
    const { body } = await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow });
    const path = `/api/migrations/${body.id}`;
    await eventually(() => ask(alpha, 'GET', path), rounds);
    expect((await ask(alpha, 'DELETE', path)).status).toBe(202);
    const ended = await eventually(
      () => ask(alpha, 'GET', path),
      (view) => view.body.endedAt !== null,
    );
    expect(ended.body).toMatchObject({ state: 'cancelled', record: { owner: 'source' } });
    expect(await guestsOf(alpha)()).toMatchObject([{ name: 'stream', state: 'running' }]);
    await eventually(guestsOf(beta), (guests) => guests.length === 0);
    expect((await ask(alpha, 'DELETE', path)).status).toBe(409);
  });

  test('tells whoever watches, while it leaves, who had a processor, and no moment twice', async () => {
    const { alpha } = await pair();
    const watching = await fetch(`http://${alpha.address}/api/events`);
    const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
    const beside = { cpu: { scheduler: 'fair' }, background: [{ kind: 'cpu-hog', count: 1 }] };
    await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow, ...beside });
    let heard = '';
    while (heard.split('event: pulse').length < 5) heard += (await reader.read()).value;
    await reader.cancel();
    const pulses = [...heard.matchAll(/^event: pulse\ndata: (.*)\n\n/gm)].map(([, data]) =>
      JSON.parse(data!),
    );
    const slices: Slice[] = pulses.flatMap(({ value }) => value.slices);
    expect(slices.length).toBeGreaterThan(pulses.length);
    for (const name of new Set(slices.map((slice) => slice.name))) {
      const own = slices.filter((slice) => slice.name === name);
      for (const [index, { endNs }] of own.slice(0, -1).entries())
        expect(own[index + 1]!.startNs).toBeGreaterThanOrEqual(endNs);
    }
  });

  test('is not migrated twice at a time, and what does not fit a link is refused', async () => {
    const { alpha } = await pair({ links: { lan: { capacity: '10Mbit/s' } } });
    const request = { guest: 'stream', to: 'beta', over: 'lan', ...slow };
    expect(
      (await ask(alpha, 'POST', '/api/migrations', { ...request, link: { rate: '11Mbit/s' } })).status,
    ).toBe(422);
    expect((await ask(alpha, 'POST', '/api/migrations', request)).status).toBe(202);
    expect((await ask(alpha, 'POST', '/api/migrations', request)).status).toBe(409);
    const links = await eventually(
      () => ask(alpha, 'GET', '/api/links'),
      ({ body }) => body[0].reservedBytesPerSecond > 0,
    );
    expect(links.body).toMatchObject([{ name: 'lan', reservedBytesPerSecond: 375_000 }]);
  });
});

describe('experiments', () => {
  const scenario = {
    guest: { pages: 500, program: { kind: 'zipf', writesPerSecond: 200 } },
    link: { rate: '50Mbit/s' },
    compare: { 'migration.stop.rounds': [1, 2] },
    runs: 3,
  };

  test('leave their records, one a line, and count in the metrics', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone');
    const { body } = await ask(daemon, 'POST', '/api/experiments', { scenario });
    const ended = await eventually(
      () => ask(daemon, 'GET', `/api/experiments/${body.id}`),
      (view) => view.body.endedAt !== null,
    );
    expect(ended.body).toMatchObject({ state: 'completed', runs: { done: 6, all: 6 } });
    const response = await fetch(`http://${daemon.address}/api/experiments/${body.id}/records`);
    const records = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ outcome }) => outcome)).toEqual(Array(6).fill('completed'));
    expect(ended.body.downtime.medianNs).toBeGreaterThan(0);
    const metrics = (await ask(daemon, 'GET', '/metrics')).body as string;
    expect(reading(metrics, 'switchover_migrations_total')).toBe(6);
  });

  test('are watched as they go, and cancelled', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone');
    const long = { ...scenario, runs: 400, guest: { ...scenario.guest, pages: 100_000 } };
    const { body } = await ask(daemon, 'POST', '/api/experiments', { scenario: long });
    const watching = await fetch(`http://${daemon.address}/api/experiments/${body.id}/events`);
    const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('"done":1')) heard += (await reader.read()).value;
    expect((await ask(daemon, 'DELETE', `/api/experiments/${body.id}`)).status).toBe(202);
    while (!heard.includes('"state":"cancelled"')) heard += (await reader.read()).value;
    await reader.cancel();
    const { body: view } = await ask(daemon, 'GET', `/api/experiments/${body.id}`);
    expect(view.runs.done).toBeLessThan(view.runs.all);
  });
});

describe('a daemon that is killed during a migration', () => {
  test('has the guest again, once, and a record that says what happened; its metrics go on', async () => {
    const { alpha, beta, configuration } = await pair();
    await ask(alpha, 'POST', '/api/experiments', {
      scenario: {
        guest: { pages: 50, program: { kind: 'zipf', writesPerSecond: 10 } },
        link: { rate: '50Mbit/s' },
      },
    });
    const { body } = await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow });
    await eventually(() => ask(alpha, 'GET', `/api/migrations/${body.id}`), rounds);
    await alpha.end('SIGKILL');
    const again = await daemons.start('alpha', configuration);
    const { body: view } = await ask(again, 'GET', `/api/migrations/${body.id}`);
    expect(view).toMatchObject({ state: 'failed', record: { owner: 'source', guest: { name: 'stream' } } });
    expect(view.why).toMatch(/killed.*has not written commit/);
    await eventually(guestsOf(again), (guests) => guests[0]?.state === 'running' && guests.length === 1);
    await eventually(guestsOf(beta), (guests) => guests.length === 0);
    const metrics = (await ask(again, 'GET', '/metrics')).body as string;
    expect(metrics).toMatch(/switchover_migrations_total\{.*outcome="failed"\} 1/);
    expect(reading(metrics, 'switchover_last_migration_completed{world="threads"}')).toBe(0);
    // And it can be migrated, as if nothing had been.
    await ask(again, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick });
    await eventually(guestsOf(beta), (guests) => guests[0]?.state === 'running');
  });

  test('does not boot a guest again that had left before', async () => {
    const { alpha, beta, configuration } = await pair();
    await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick });
    await eventually(guestsOf(alpha), (guests) => guests.length === 0);
    await alpha.end('SIGKILL');
    const again = await daemons.start('alpha', configuration);
    expect(await guestsOf(again)()).toEqual([]);
    expect(await guestsOf(beta)()).toMatchObject([{ name: 'stream', state: 'running' }]);
    const { body } = await ask(again, 'GET', '/api/migrations');
    expect(body).toMatchObject([{ state: 'completed', guest: 'stream', to: 'beta' }]);
  });

  test('knows a guest that had arrived, which has died with it', async () => {
    const { alpha, beta } = await pair();
    await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick });
    await eventually(guestsOf(beta), (guests) => guests[0]?.state === 'running');
    await beta.end('SIGKILL');
    const again = await daemons.start('beta');
    expect(await guestsOf(again)()).toMatchObject([{ name: 'stream', state: 'died', owner: 'here' }]);
  });
});

describe('signals', () => {
  test('SIGTERM lets a migration end, takes no other, and the guest is not lost', async () => {
    const { alpha, beta } = await pair();
    const medium = { ...quick, link: { rate: '25Mbit/s' } };
    const { body } = await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...medium });
    await eventually(() => ask(alpha, 'GET', `/api/migrations/${body.id}`), rounds);
    const exit = alpha.end('SIGTERM');
    await eventually(
      () => ask(alpha, 'GET', '/readyz'),
      ({ status }) => status === 503,
    );
    expect(
      (await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick })).status,
    ).toBeGreaterThanOrEqual(409);
    expect(await exit).toBe(0);
    expect(await guestsOf(beta)()).toMatchObject([{ name: 'stream', state: 'running' }]);
  });

  test('past the deadline a migration is cancelled; a second signal does not wait for that', async () => {
    const { alpha, configuration } = await pair({ drain: '500ms' });
    await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow });
    await eventually(guestsOf(alpha), (guests) => guests[0]?.state === 'leaving');
    expect(await alpha.end('SIGTERM')).toBe(0);
    const patient = await daemons.start('alpha', { ...configuration, drain: '60s' });
    await ask(patient, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...slow });
    await eventually(guestsOf(patient), (guests) => guests[0]?.state === 'leaving');
    patient.signal('SIGTERM');
    await sleep(500);
    expect(await patient.end('SIGTERM')).toBe(1);
  });

  test('SIGHUP takes a new configuration, or says what is wrong with it and keeps the old one', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone', { links: { lan: { capacity: '1Gbit/s' } } });
    const links = async () => (await ask(daemon, 'GET', '/api/links')).body as { name: string }[];
    daemons.configure('alone', { links: { lan: { capacity: 'wide' } } });
    daemon.signal('SIGHUP');
    await eventually(
      async () => daemon.log,
      (log) => log.includes('old configuration is kept') && log.includes('links.lan.capacity'),
    );
    const metrics = (await ask(daemon, 'GET', '/metrics')).body as string;
    expect(reading(metrics, 'switchover_configuration_last_reload_successful')).toBe(0);
    expect(await links()).toMatchObject([{ name: 'lan' }]);
    daemons.configure('alone', { links: { lan: { capacity: '1Gbit/s' }, wan: { capacity: '50Mbit/s' } } });
    daemon.signal('SIGHUP');
    await eventually(links, (now) => now.length === 2);
    const key = join(daemons.folder, 'alone/receive.key');
    writeFileSync(key, `${'k'.repeat(40)}\n`, { mode: 0o600 });
    daemons.configure('alone', { receive: { keyFile: 'receive.key' }, guests: [stream] });
    daemon.signal('SIGHUP');
    await eventually(
      async () => daemon.log,
      (log) => log.includes('a restart is needed for receive.keyFile, guests'),
    );
  });
});

test('a daemon ends when the process that started it with a channel has been killed', async () => {
  daemons = new Daemons();
  mkdirSync(join(daemons.folder, 'alone'));
  daemons.configure('alone', {});
  const serve = ['dist/cli/main.js', 'serve', '--config', join(daemons.folder, 'alone/daemon.yaml')];
  const code = `
    const child = require('node:child_process').spawn(
      process.execPath, ${JSON.stringify([...serve, '--listen', '127.0.0.1:0'])},
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    child.stdout.once('data', () => console.log(child.pid));
    setInterval(() => {}, 1_000);`;
  const starter = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = await once(starter.stdout, 'data');
  const started = Number(text);
  const isThere = () => {
    try {
      // Where nobody waits for it, what has ended stays in /proc without a command line.
      return readFileSync(`/proc/${started}/cmdline`).length > 0;
    } catch {
      return false;
    }
  };
  expect(isThere()).toBe(true);
  starter.kill('SIGKILL');
  await eventually(
    async () => isThere(),
    (there) => !there,
  );
});
