import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ask, Daemons, eventually, guestsOf, quick, stream } from '../fixtures/daemons.ts';
import { type DiskFault, onFailingDisk } from '../fixtures/failing-disk.ts';
import { freePort } from '../fixtures/free-port.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

vi.setConfig({ testTimeout: 1_200_000 });

const scenario = {
  guest: { pages: 200, program: { kind: 'zipf', writesPerSecond: 200 } },
  link: { rate: '50Mbit/s' },
  runs: 5,
};
const small = { ...stream, name: 'small', pages: 512, program: { ...stream.program, buffers: 20 } };
/** The first are those of its start, the last those of a session as short as this. */
const tried = Array.from({ length: 60 }, (_, index) => index + 1).filter(
  (write) => write <= 4 || write % 24 === 0,
);

describe('a daemon with the disk full or broken from each of its writes on', () => {
  const daemons = new Daemons();
  let beta: ServedDaemon;
  let configuration: object;
  beforeAll(async () => {
    const address = `127.0.0.1:${await freePort()}`;
    beta = await daemons.start('beta', { receive: { listen: address } });
    configuration = { peers: { beta: { address } }, guests: [stream] };
  });
  afterAll(() => daemons.end());

  test.each([
    ['full', 'ENOSPC'],
    ['broken', 'EIO'],
  ] as const)('%s: nothing that it said was done is missing afterwards, and no guest runs twice', async (_, code) => {
    for (const from of tried) {
      rmSync(join(daemons.folder, 'alpha'), { recursive: true, force: true });
      const told = `from write ${from} on`;
      const fault: DiskFault = { folder: join(daemons.folder, 'alpha/state'), code, from };
      const alpha = await daemons.start('alpha', configuration, 0, onFailingDisk(fault)).catch(String);
      if (typeof alpha === 'string') {
        expect(alpha, told).toMatch(new RegExp(`switchover: cannot .*alpha/state.*: ${code}`));
        expect(alpha, told).not.toMatch(/internal error|^ +at /m);
        continue;
      }
      const done = await session(alpha, told);
      await alpha.end('SIGKILL');
      const again = await daemons.start('alpha', configuration);
      const [here, there] = [await guestsOf(again)(), await guestsOf(beta)()];
      const runs = [...here, ...there].filter(({ name, state }) => name === 'stream' && state === 'running');
      expect(runs.length, told).toBeLessThanOrEqual(1);
      // A broken disk takes back nothing that it had: then what it did not take was not written down, and was said so.
      if (code === 'ENOSPC') {
        if (done.small)
          expect(
            here.map(({ name }) => name),
            told,
          ).toContain('small');
        const { body: migrations } = await ask(again, 'GET', '/api/migrations');
        for (const { id, state } of done.migrations) {
          const kept = migrations.find((view: { id: string }) => view.id === id);
          expect(kept?.state, told).toBe(state);
        }
        if (done.migrations.some(({ state }) => state === 'completed'))
          expect(
            there.map(({ name }) => name),
            told,
          ).toContain('stream');
      }
      await again.end('SIGKILL');
      if (there.length > 0) await ask(beta, 'DELETE', '/api/guests/stream');
      await eventually(guestsOf(beta), (guests) => guests.length === 0);
    }
  });

  /** What it said was done. */
  async function session(alpha: ServedDaemon, told: string) {
    const booted = await ask(alpha, 'POST', '/api/guests', small);
    expect([201, 503], told).toContain(booted.status);
    const asked = [
      await ask(alpha, 'POST', '/api/experiments', { scenario }),
      await ask(alpha, 'POST', '/api/migrations', { guest: 'stream', to: 'beta', ...quick }),
    ];
    const paths = ['experiments', 'migrations'];
    for (const [index, { status, body }] of asked.entries()) {
      // The guest may not have been booted: then it is not here.
      expect([202, 404, 503], told).toContain(status);
      if (status !== 202) continue;
      await eventually(
        () => ask(alpha, 'GET', `/api/${paths[index]}/${body.id}`),
        (view) => view.body.endedAt !== null,
      );
    }
    for (const path of ['/metrics', '/api/state', '/api/guests', '/healthz'])
      expect((await ask(alpha, 'GET', path)).status, told).toBe(200);
    const { body: experiments } = await ask(alpha, 'GET', '/api/experiments');
    for (const { id, state, runs } of experiments) {
      const { body: records } = await ask(alpha, 'GET', `/api/experiments/${id}/records`);
      expect(records.split('\n').length - 1, told).toBe(runs.done);
      if (state === 'completed') expect(runs.done, told).toBe(scenario.runs);
    }
    const { body: migrations } = await ask(alpha, 'GET', '/api/migrations');
    // One that did not begin has no record.
    const begun = (migrations as { id: string; state: string; record: unknown }[]).filter(
      ({ record }) => record,
    );
    return { small: booted.status === 201, migrations: begun };
  }
});
