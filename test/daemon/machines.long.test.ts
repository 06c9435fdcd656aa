import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '../../src/qemu/migration-settings.ts';
import { ask, eventually, reading } from '../fixtures/daemons.ts';
import { answersCheck } from '../fixtures/described-answers.ts';
import { withoutQemu10 } from '../fixtures/others-machine.ts';
import { scheduledThreads, withoutDeadline } from '../fixtures/scheduled-threads.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';
import { TwoMachineDaemons } from '../fixtures/two-machine-daemons.ts';

const quickly = {
  ...{ guest: 'web', to: 'beta', link: { rate: '400Mbit/s' } },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 2 } },
};
/** Some seconds, of which it stands still for one. */
const slowly = { ...quickly, link: { rate: '4Mbit/s' } };
const [atAlpha, atBeta] = [
  [true, false],
  [false, true],
];

describe.skipIf(withoutQemu10)('a machine of QEMU that is a guest of a daemon', () => {
  let two: TwoMachineDaemons;
  let before: Awaited<ReturnType<typeof readSettings>>;
  beforeEach(async () => {
    two = await TwoMachineDaemons.start({ links: { lan: { capacity: '1Gbit/s' } } });
    before = await readSettings(two.machine.theirs);
  });
  afterEach(() => two?.end());

  const guest = async (daemon: ServedDaemon) => (await ask(daemon, 'GET', '/api/guests/web')).body;
  const migration = async (id: string) => (await ask(two.alpha, 'GET', `/api/migrations/${id}`)).body;
  const begin = async (body: object): Promise<string> => {
    const { status, body: answer } = await ask(
      two.alpha,
      'POST',
      '/api/migrations',
      body,
      AbortSignal.timeout(100_000),
    );
    expect([status, answer]).toMatchObject([202, { predicted: null }]);
    return answer.id;
  };
  const predicted = (signal = AbortSignal.timeout(100_000)) =>
    ask(two.alpha, 'POST', '/api/predictions', { ...quickly, over: 'lan' }, signal);
  const ended = (id: string) =>
    eventually(
      () => migration(id),
      ({ endedAt }) => endedAt !== null,
    );
  const live = (id: string) =>
    eventually(
      () => migration(id),
      ({ progress }) => progress?.phase === 'live',
    );
  const isAsBefore = async () => {
    expect(await two.runs()).toEqual(atAlpha);
    expect(await readSettings(two.machine.theirs)).toEqual(before);
  };

  test('is shown, moved over a link to another daemon, metered, and moved back to where a fresh QEMU waits', async () => {
    expect(await guest(two.alpha)).toMatchObject({
      kind: 'qemu',
      state: 'running',
      pages: 4096,
      owner: 'here',
    });
    expect(await guest(two.beta)).toMatchObject({ kind: 'qemu', state: 'waiting', owner: 'elsewhere' });
    const view = await ended(await begin({ ...quickly, over: 'lan' }));
    expect(view.record).toMatchObject({ outcome: 'completed', world: 'qemu', owner: 'destination' });
    expect(view.record.admission.grantedBytesPerSecond).toBe(50e6);
    expect(view.record.link).toMatchObject({ reservedBytesPerSecond: 50e6, encryption: { kind: 'psk' } });
    expect(view.record.fidelity).toMatchObject({ mode: 'pull', neverSentPages: 0 });
    expect(view.promises.link).toMatchObject({ isRevoked: false });
    expect(await two.runs()).toEqual(atBeta);
    await eventually(
      () => guest(two.alpha),
      ({ state, owner }) => state === 'moved' && owner === 'elsewhere',
    );
    await eventually(
      () => guest(two.beta),
      ({ state }) => state === 'running',
    );
    expect(await readSettings(two.machine.theirs)).toEqual(before);
    const check = answersCheck();
    check('State', (await ask(two.alpha, 'GET', '/api/state')).body);
    check('Migration', view);
    const metrics = (await ask(two.alpha, 'GET', '/metrics')).body as string;
    const how = 'world="qemu",order="address",stop="rounds",scheduler="none",outcome="completed"';
    expect(reading(metrics, `switchover_migrations_total{${how}}`)).toBe(1);
    expect(reading(metrics, 'switchover_guests{state="moved"}')).toBe(1);
    expect(two.beta.log).toContain('"event":"arrival ended"');
    // What is left of it must not run again.
    const resumed = await ask(two.alpha, 'POST', '/api/guests/web/resume');
    expect([resumed.status, resumed.body.detail]).toMatchObject([409, expect.stringContaining('has moved')]);

    const { alpha, beta } = two;
    await two.freshAtAlpha();
    await eventually(
      () => guest(alpha),
      ({ state }) => state === 'waiting',
    );
    const back = await ask(beta, 'POST', '/api/migrations', { ...quickly, to: 'alpha' });
    expect(back.status).toBe(202);
    await eventually(
      () => guest(alpha),
      ({ state }) => state === 'running',
    );
    expect(await two.runs()).toEqual(atAlpha);
  });

  describe.skipIf(withoutDeadline !== undefined)('with CPU time that the kernel reserves', () => {
    const reservation = { budget: '3ms', period: '10ms' };
    const reserved = { ...slowly, sender: { reservation } };
    let scheduled: ReturnType<typeof scheduledThreads>;
    beforeEach(async () => {
      const { ours } = two.machine;
      await two.alpha.end();
      two.alpha = await two.startAlpha({ guests: [{ kind: 'qemu', name: 'web', qmp: ours, reservation }] });
      scheduled = scheduledThreads(two.machine.child.pid!);
    });

    const expectScheduledAsBefore = () => {
      const after = scheduledThreads(two.machine.child.pid!);
      expect(Object.keys(scheduled).map((thread) => after[thread])).toEqual(Object.values(scheduled));
    };

    test('leaves, and holds it for so long; its threads are scheduled as before', async () => {
      const id = await begin(reserved);
      await live(id);
      const held = await ask(two.alpha, 'GET', '/api/cpu');
      expect(held.body.holders).toMatchObject([
        { holder: 'migration', name: id, reservations: [{ budgetNs: 3e6 }, { budgetNs: 3e6 }] },
      ]);
      const { record } = await ended(id);
      expect(record).toMatchObject({ outcome: 'completed', owner: 'destination' });
      expect(record.fidelity.reservations).toMatchObject([
        { of: 'guest', by: 'SCHED_DEADLINE', budgetNs: 3e6 },
        { of: 'sender', by: 'SCHED_DEADLINE', budgetNs: 3e6 },
      ]);
      expect((await ask(two.alpha, 'GET', '/api/cpu')).body.holders).toEqual([]);
      expect((await guest(two.alpha)).reservation).toMatchObject({ budgetNs: 3e6, scheduler: 'deadline' });
      expectScheduledAsBefore();
    });

    test('runs on when its daemon is killed; the next one has its threads scheduled as before', async () => {
      await live(await begin(reserved));
      await two.alpha.end('SIGKILL');
      two.alpha = await two.startAlpha();
      await isAsBefore();
      expectScheduledAsBefore();
    });
  });

  test('stays when its migration is cancelled, and can be moved again', async () => {
    const id = await begin(slowly);
    await live(id);
    expect((await ask(two.alpha, 'DELETE', `/api/migrations/${id}`)).status).toBe(202);
    expect((await ended(id)).record).toMatchObject({ outcome: 'cancelled', owner: 'source' });
    await isAsBefore();
    await two.freshAtBeta();
    await eventually(
      () => guest(two.beta),
      ({ state }) => state === 'waiting',
    );
    expect((await ended(await begin(quickly))).state).toBe('completed');
  });

  test('is rehearsed for a dry run, which touches nothing else of it', async () => {
    const { status, body } = await predicted();
    expect([status, body]).toMatchObject([200, { guest: 'web', target: null, begins: 'at once' }]);
    const { estimate, predicted: model, leftOut } = body;
    expect(estimate.completed).toBe(estimate.runs);
    // What is written is little: most of the stop is what devices are taken to need.
    for (const downtimeNs of [estimate.downtime.medianNs, model.downtimeNs]) {
      expect(downtimeNs).toBeGreaterThan(15e6);
      expect(downtimeNs).toBeLessThan(60e6);
    }
    expect(leftOut).toContainEqual(expect.stringContaining('pages of zeros'));
    answersCheck()('Prediction', body);
    await isAsBefore();
    expect((await guest(two.alpha)).state).toBe('running');
  });

  test('is rehearsed for a target, moved by what was planned, and held against it', async () => {
    const target = 'downtime<=500ms@0.9, total<=60s@0.9';
    const { guest: web, to } = quickly;
    const view = await ended(await begin({ guest: web, to, over: 'lan', target }));
    const { record, target: planned, targetVerdict } = view;
    expect(record).toMatchObject({ outcome: 'completed', world: 'qemu', owner: 'destination' });
    expect(
      planned.certificate.clauses.map(({ lowerBound }: { lowerBound: number }) => lowerBound >= 0.9),
    ).toEqual([true, true]);
    const reserved = `${(8 * record.link.reservedBytesPerSecond) / 1e6}Mbit/s`;
    expect(planned.settings).toMatchObject({ 'link.rate': reserved });
    expect(planned.leftOut).toContainEqual(expect.stringContaining('what its devices are'));
    expect(targetVerdict.clauses.map(({ metric }: { metric: string }) => metric)).toEqual([
      'downtime',
      'total',
    ]);
    expect(await two.runs()).toEqual(atBeta);
  });

  test('is as before when whoever asked for a target has gone while it is rehearsed', async () => {
    const gone = new AbortController();
    const asked = predicted(gone.signal);
    await eventually(
      () => guest(two.alpha),
      ({ state }) => state === 'rehearsing',
    );
    const paused = await ask(two.alpha, 'POST', '/api/guests/web/pause');
    expect([paused.status, paused.body.detail]).toMatchObject([409, expect.stringContaining('rehearsed')]);
    gone.abort();
    await asked.catch(() => {});
    await eventually(
      () => guest(two.alpha),
      ({ state }) => state === 'running',
    );
    await isAsBefore();
  });

  test('is refused where it cannot be moved, planned for, or ended, and why', async () => {
    const refusal = async (method: string, path: string, body?: object) => {
      const { status, body: answer } = await ask(two.alpha, method, path, body);
      return `${status} ${answer.detail}`;
    };
    const move = (more: object) => refusal('POST', '/api/migrations', { ...quickly, ...more });
    const set = (xbzrle: boolean) =>
      two.machine.theirs.execute('migrate-set-capabilities', {
        capabilities: [{ capability: 'xbzrle', state: xbzrle }],
      });
    await set(true);
    expect(await move({})).toMatch(/^409 .*xbzrle must be off/);
    await set(false);
    expect(await move({ migration: { clear: 'round' } })).toMatch(/^400 .*clear/);
    const reserving = { sender: { reservation: { budget: '1ms', period: '10ms' } } };
    expect(await move({ ...reserving, cpu: { scheduler: 'cbs-hard' } })).toMatch(/^400 .*only the kernel/);
    expect(await move({ sender: { cpuPerPage: '20us' } })).toMatch(/^400 .*sender/);
    const planned = { link: {}, over: 'lan', target: 'downtime<=1s@0.9' };
    expect(await move({ ...planned, migration: { clear: 'round' } })).toMatch(/^400 .*clear/);
    expect(await move({ ...planned, sender: { cpuPerPage: '20us' } })).toMatch(/^400 .*sender/);
    expect(await move({ ...planned, target: 'total<=50ms@0.9' })).toMatch(/^422 .*one copy of the memory/);
    expect(await refusal('DELETE', '/api/guests/web')).toMatch(/^409 .*whoever has started it ends it/);
    expect(
      await refusal('POST', '/api/guests', {
        name: 'web',
        pages: 64,
        program: { kind: 'sequential', pages: 1, writesPerSecond: 1 },
      }),
    ).toMatch(/^409/);
    const away = await ask(two.beta, 'POST', '/api/migrations', { ...quickly, to: '127.0.0.1:1' });
    expect(away.body.detail).toContain('its QEMU waits for a machine');
    await isAsBefore();
  });

  test('is refused by a daemon that has no QEMU waiting for it, and stays', async () => {
    await two.waiting.theirs.execute('quit').catch(() => {});
    await eventually(
      () => guest(two.beta),
      ({ state, why }) => state === 'unreachable' && why.includes('nobody listens there'),
    );
    const { record } = await ended(await begin(quickly));
    expect(record).toMatchObject({ outcome: 'failed', owner: 'source' });
    expect(record.reason).toContain('is unreachable here and not waiting');
    await isAsBefore();
  });

  test('runs on when the daemon at its destination is killed', async () => {
    const id = await begin(slowly);
    await live(id);
    await two.beta.end('SIGKILL');
    expect((await ended(id)).record).toMatchObject({ outcome: 'failed', owner: 'source' });
    await isAsBefore();
  });

  test.each([
    'live',
    'stopped',
  ])('runs on when its daemon is killed: %s; the next one settles it', async (phase) => {
    const id = await begin(slowly);
    await eventually(
      () => migration(id),
      ({ progress }) => progress?.phase === phase,
    );
    await two.alpha.end('SIGKILL');
    two.alpha = await two.startAlpha();
    expect(await migration(id)).toMatchObject({
      record: { outcome: 'failed', owner: 'source', reason: expect.stringContaining('stayed at its source') },
    });
    expect(await guest(two.alpha)).toMatchObject({ state: 'running' });
    await isAsBefore();
  });

  test.each([
    'SIGKILL',
    'SIGTERM',
  ] as const)('runs on, its settings as before, when its daemon is ended while it is rehearsed: %s', async (signal) => {
    const asked = predicted().catch(() => {});
    await eventually(
      () => guest(two.alpha),
      ({ state }) => state === 'rehearsing',
    );
    await eventually(
      () => two.machine.theirs.execute<{ readonly status?: string }>('query-migrate'),
      ({ status }) => status === 'active',
    );
    await two.alpha.end(signal);
    await asked;
    if (signal === 'SIGKILL') two.alpha = await two.startAlpha();
    await isAsBefore();
  });

  test('runs on when its daemon is told to end, and its time to drain is over', async () => {
    await two.alpha.end();
    two.alpha = await two.startAlpha({ drain: '1s' });
    await live(await begin(slowly));
    expect(await two.alpha.end()).toBe(0);
    await isAsBefore();
  });

  test('that ends and comes again is connected to again', async () => {
    await two.machine.theirs.execute('quit').catch(() => {});
    await eventually(
      () => guest(two.alpha),
      ({ state, why }) => state === 'unreachable' && why !== null,
    );
    await two.freshAtAlpha();
    await eventually(
      () => guest(two.alpha),
      ({ state }) => state === 'waiting',
    );
    await sleep(100);
    expect((await ask(two.alpha, 'GET', '/healthz')).status).toBe(200);
  });
});
