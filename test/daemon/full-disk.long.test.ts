import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, Daemons, eventually, guestsOf, quick, reading, stream } from '../fixtures/daemons.ts';
import { type DiskFault, onFailingDisk } from '../fixtures/failing-disk.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';
import { knock } from '../fixtures/stranger.ts';

let daemons: Daemons;
beforeEach(() => {
  daemons = new Daemons();
});
afterEach(() => daemons.end());

const scenario = {
  guest: { pages: 500, program: { kind: 'zipf', writesPerSecond: 200 } },
  link: { rate: '50Mbit/s' },
};
const small = { ...stream, name: 'small', pages: 512, program: { ...stream.program, buffers: 20 } };
const metricsOf = async (daemon: ServedDaemon) => (await ask(daemon, 'GET', '/metrics')).body as string;

describe('a daemon whose disk is full', () => {
  /** Its state is on a disk that is full as long as `full` is there. */
  async function started(configuration: object = {}, code: DiskFault['code'] = 'ENOSPC') {
    const full = join(daemons.folder, 'full');
    const folder = join(daemons.folder, 'alone/state');
    const fault: DiskFault = { folder, code, whileThere: full };
    const daemon = await daemons.start('alone', configuration, 0, onFailingDisk(fault));
    return { daemon, fill: () => writeFileSync(full, ''), free: () => rmSync(full) };
  }

  test('lives, says so everywhere, takes nothing new, and goes on by itself when there is space', async () => {
    const { daemon, fill, free } = await started({ guests: [stream] });
    const watching = await fetch(`http://${daemon.address}/api/events`);
    const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await ask(daemon, 'GET', '/readyz')).status).toBe(200);
    expect(reading(await metricsOf(daemon), 'switchover_event_log_writable')).toBe(1);
    fill();
    const refused = [
      await ask(daemon, 'POST', '/api/migrations', { guest: 'stream', to: '127.0.0.1:9', ...quick }),
      await ask(daemon, 'POST', '/api/experiments', { scenario }),
      await ask(daemon, 'POST', '/api/guests', small),
    ];
    for (const { status, body } of refused) {
      expect(status).toBe(503);
      expect(body.error).toMatch(/^nothing new is taken: cannot write .*diary\.ndjson: ENOSPC/);
    }
    let heard = '';
    while (!heard.includes('event: degraded')) heard += (await reader.read()).value;
    await reader.cancel();
    const ready = await ask(daemon, 'GET', '/readyz');
    expect(ready).toMatchObject({ status: 503, body: { ready: false } });
    expect(ready.body.error).toMatch(/diary\.ndjson: ENOSPC/);
    const state = await ask(daemon, 'GET', '/api/state');
    expect(state).toMatchObject({ status: 200, body: { experiments: [], migrations: [] } });
    expect(state.body.degraded).toMatch(/ENOSPC/);
    const metrics = await metricsOf(daemon);
    expect(reading(metrics, 'switchover_event_log_writable')).toBe(0);
    expect(reading(metrics, 'switchover_admission_refusals_total{reason="disk"}')).toBe(3);
    expect((await ask(daemon, 'POST', '/api/guests/stream/pause')).status).toBe(200);
    expect((await ask(daemon, 'POST', '/api/guests/stream/resume')).status).toBe(200);
    expect((await ask(daemon, 'DELETE', '/api/guests/stream')).status).toBe(204);
    free();
    await eventually(
      () => ask(daemon, 'GET', '/readyz'),
      ({ status }) => status === 200,
    );
    expect((await ask(daemon, 'GET', '/api/state')).body.degraded).toBeNull();
    expect((await ask(daemon, 'POST', '/api/guests', small)).status).toBe(201);
    // What happened while it was full has been written since.
    await daemon.end('SIGKILL');
    const again = await daemons.start('alone', { guests: [stream] });
    expect((await guestsOf(again)()).map(({ name, state }) => [name, state])).toEqual([['small', 'died']]);
  });

  test('fails an experiment whose records it cannot write, by the name of their file', async () => {
    const { daemon, fill } = await started();
    const long = { ...scenario, runs: 900, guest: { ...scenario.guest, pages: 100_000 } };
    const { body } = await ask(daemon, 'POST', '/api/experiments', { scenario: long });
    const view = () => ask(daemon, 'GET', `/api/experiments/${body.id}`);
    await eventually(view, ({ body }) => body.runs.done > 0);
    fill();
    const failed = await eventually(view, ({ body }) => body.endedAt !== null);
    expect(failed.body.state).toBe('failed');
    expect(failed.body.why).toMatch(new RegExp(`^cannot write .*${body.id}\\.ndjson: ENOSPC`));
    const { body: records } = await ask(daemon, 'GET', `/api/experiments/${body.id}/records`);
    const lines = (records as string).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line).outcome).length).toBe(failed.body.runs.done);
  });

  test('and broken, says with its exit code that not all that happened is written', async () => {
    const { daemon, fill } = await started({ guests: [stream] }, 'EIO');
    fill();
    expect(await daemon.end('SIGTERM')).toBe(1);
    expect(daemon.log).toMatch(/of the event log are lost: cannot write .*diary\.ndjson: EIO/);
  });

  test('has the record of a migration that ended on it, even if it is killed then', async (context) => {
    const state = join(daemons.folder, 'alpha/state');
    const journals = join(state, 'journals');
    mkdirSync(state, { recursive: true });
    const mount = (at: string) =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at]).status === 0;
    if (!mount(state)) context.skip('a tiny file system can only be mounted by root');
    try {
      mkdirSync(journals);
      mount(journals);
      const { alpha, beta, configuration } = await daemons.pair();
      const medium = { ...quick, link: { rate: '25Mbit/s' } };
      const { body } = await ask(alpha, 'POST', '/api/migrations', {
        guest: 'stream',
        to: 'beta',
        ...medium,
      });
      const path = `/api/migrations/${body.id}`;
      await eventually(
        () => ask(alpha, 'GET', path),
        (view) => view.body.progress?.phase === 'live',
      );
      expect(() => {
        for (;;) appendFileSync(`${state}/filling`, Buffer.alloc(4_096));
      }).toThrow('ENOSPC');
      const ended = await eventually(
        () => ask(alpha, 'GET', path),
        (view) => view.body.endedAt !== null,
      );
      expect(ended.body.state).toBe('completed');
      expect((await ask(alpha, 'GET', '/readyz')).body.error).toMatch(/ENOSPC/);
      await alpha.end('SIGKILL');
      rmSync(`${state}/filling`);
      const again = await daemons.start('alpha', configuration);
      expect((await ask(again, 'GET', path)).body).toMatchObject({ state: 'completed' });
      expect(await guestsOf(again)()).toEqual([]);
      expect(await guestsOf(beta)()).toMatchObject([{ name: 'stream', state: 'running' }]);
    } finally {
      // Lazily, as the daemons still use them.
      for (const place of [journals, state]) spawnSync('umount', ['-l', place]);
    }
  });
});

test('a daemon starts with a diary that is damaged, and says which line', async () => {
  const alone = await daemons.start('alone');
  expect((await ask(alone, 'POST', '/api/guests', small)).status).toBe(201);
  await alone.end('SIGKILL');
  const diary = join(daemons.folder, 'alone/state/diary.ndjson');
  writeFileSync(diary, `{"kind":"gue\n${readFileSync(diary, 'utf8')}`);
  const again = await daemons.start('alone');
  expect(await guestsOf(again)()).toMatchObject([{ name: 'small', state: 'died' }]);
  expect(again.log).toContain(`${diary}:1 cannot be read, and is left out`);
});

describe('a daemon whose log', () => {
  test('cannot be written goes on', async () => {
    const port = await freePort();
    const receive = { listen: `127.0.0.1:${port}` };
    const daemon = await daemons.start('alone', { receive }, 0, { log: '/dev/full' });
    for (let count = 0; count < 3; count++) await knock(port);
    expect((await ask(daemon, 'POST', '/api/guests', small)).status).toBe(201);
    expect((await ask(daemon, 'DELETE', '/api/guests/small')).status).toBe(204);
    expect(await daemon.end('SIGTERM')).toBe(0);
  });

  test('is read by nobody goes on, once the pipe is full', async () => {
    const port = await freePort();
    const daemon = await daemons.start('alone', { receive: { listen: `127.0.0.1:${port}` } });
    daemon.readNoMore();
    for (let count = 0; count < 1_500; count++) await knock(port);
    expect((await ask(daemon, 'POST', '/api/guests', small)).status).toBe(201);
  });

  test('is read by nobody goes on with what others change', async () => {
    const daemon = await daemons.start('alone', { guests: [small] });
    daemon.readNoMore();
    for (let count = 0; count < 200; count++)
      for (const change of ['pause', 'resume'])
        expect((await ask(daemon, 'POST', `/api/guests/small/${change}`)).status).toBe(200);
    expect((await ask(daemon, 'GET', '/readyz')).status).toBe(200);
  });
});

test('a guest that has left is not booted again, though only the journal of its migration says so', async () => {
  const { alpha, beta, configuration } = await daemons.pair();
  await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick });
  await eventually(guestsOf(alpha), (guests) => guests.length === 0);
  await alpha.end('SIGKILL');
  // As a power cut or a broken disk leaves it: everything after the beginning of the migration is missing.
  const diary = join(daemons.folder, 'alpha/state/diary.ndjson');
  const lines = readFileSync(diary, 'utf8').split('\n');
  const begun = lines.findIndex((line) => line.includes('"kind":"begun"'));
  writeFileSync(
    diary,
    lines
      .slice(0, begun + 1)
      .concat('')
      .join('\n'),
  );
  // The second finds nothing unfinished.
  for (let turn = 0; turn < 2; turn++) {
    const again = await daemons.start('alpha', configuration);
    expect((await guestsOf(again)()).filter(({ state }) => state !== 'died')).toEqual([]);
    expect(again.log).toContain("guest 'stream' is not booted: it has left, or may run elsewhere");
    const { body } = await ask(again, 'GET', '/api/migrations');
    expect(body).toMatchObject([{ guest: 'stream', record: { owner: 'destination' } }]);
    await again.end('SIGKILL');
  }
  expect(await guestsOf(beta)()).toMatchObject([{ name: 'stream', state: 'running' }]);
});
