import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '../../src/qemu/migration-settings.ts';
import { ask, eventually } from '../fixtures/daemons.ts';
import { answersCheck } from '../fixtures/described-answers.ts';
import { withoutQemu10 } from '../fixtures/others-machine.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';
import { TwoMachineDaemons } from '../fixtures/two-machine-daemons.ts';

describe.skipIf(withoutQemu10)('a machine of QEMU that is a guest of a daemon', () => {
  let two: TwoMachineDaemons;
  beforeEach(async () => {
    two = await TwoMachineDaemons.start();
  });
  afterEach(() => two?.end());

  const guest = async (daemon: ServedDaemon) => (await ask(daemon, 'GET', '/api/guests/web')).body;
  const quickly = {
    guest: 'web',
    to: 'beta',
    link: { rate: '400Mbit/s' },
    migration: { order: 'address', stop: { rule: 'rounds', rounds: 2 } },
  };
  const migration = async (id: string) => (await ask(two.alpha, 'GET', `/api/migrations/${id}`)).body;

  test('is shown, moved to another daemon, and shown there', async () => {
    const before = await readSettings(two.machine.theirs);
    expect(await guest(two.alpha)).toMatchObject({
      kind: 'qemu',
      state: 'running',
      pages: 4096,
      owner: 'here',
    });
    expect(await guest(two.beta)).toMatchObject({ kind: 'qemu', state: 'waiting', owner: 'elsewhere' });
    const { status, body } = await ask(two.alpha, 'POST', '/api/migrations', quickly);
    expect([status, body]).toMatchObject([202, { pages: 4096, predicted: null }]);
    const ended = await eventually(
      () => migration(body.id),
      ({ endedAt }) => endedAt !== null,
    );
    expect(ended.record ?? ended).toMatchObject({
      outcome: 'completed',
      world: 'qemu',
      owner: 'destination',
    });
    expect(await two.runs()).toEqual([false, true]);
    await eventually(
      () => guest(two.alpha),
      ({ state }) => state === 'moved',
    );
    await eventually(
      () => guest(two.beta),
      ({ state }) => state === 'running',
    );
    expect(await readSettings(two.machine.theirs)).toEqual(before);
    const check = answersCheck();
    check('State', (await ask(two.alpha, 'GET', '/api/state')).body);
    check('Migration', ended);
  });
});
