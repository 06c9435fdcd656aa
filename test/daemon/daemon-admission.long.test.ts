import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, Daemons, eventually, guestsOf, reading } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

const MBIT = 125_000;
let daemons: Daemons;
afterEach(() => daemons.end());

/** One that writes nothing: 600 pages take a second at 20 Mbit/s. */
const idle = (name: string, more: object = {}) => ({
  name,
  pages: 600,
  program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] },
  ...more,
});
const at = (rate: string, link: object = {}) => ({
  over: 'lan',
  link: { rate, ...link },
  migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
});

async function pair(guests: readonly string[], running: number, lan: string, more: object = {}) {
  daemons = new Daemons();
  const made = await daemons.pair({
    guests: guests.map((name) => idle(name)),
    limits: { runningMigrations: running },
    links: { lan: { capacity: lan } },
    ...more,
  });
  const reload = (links: object) => {
    daemons.configure('alpha', { ...made.configuration, links });
    made.alpha.signal('SIGHUP');
  };
  return { ...made, reload };
}

async function move(daemon: ServedDaemon, guest: string, body: object): Promise<string> {
  const { status, body: view } = await ask(daemon, 'POST', '/api/migrations', { guest, to: 'beta', ...body });
  expect(status, JSON.stringify(view)).toBe(202);
  return `/api/migrations/${view.id}`;
}

const view = async (daemon: ServedDaemon, path: string) => (await ask(daemon, 'GET', path)).body;
const ended = (daemon: ServedDaemon, path: string) =>
  eventually(
    () => view(daemon, path),
    ({ endedAt }) => endedAt !== null,
  );
const runs = (daemon: ServedDaemon, path: string) =>
  eventually(
    () => view(daemon, path),
    ({ state, progress }) => state === 'running' && progress?.phase === 'live',
  );
const lan = async (daemon: ServedDaemon) => (await view(daemon, '/api/links'))[0];

describe('two migrations that wait', () => {
  test('for their turn: the one of the larger priority begins first', async () => {
    const { alpha } = await pair(['a', 'b', 'c'], 1, '20Mbit/s');
    const first = await move(alpha, 'a', at('10Mbit/s'));
    await runs(alpha, first);
    const low = await move(alpha, 'b', { ...at('20Mbit/s'), priority: 0 });
    const high = await move(alpha, 'c', { ...at('20Mbit/s'), priority: 9 });
    expect(await lan(alpha)).toMatchObject({ reservedBytesPerSecond: 10 * MBIT, waiting: 2 });
    await ask(alpha, 'DELETE', first);
    const [later, sooner] = [await ended(alpha, low), await ended(alpha, high)];
    expect([later.state, sooner.state]).toEqual(['completed', 'completed']);
    expect(Date.parse(sooner.endedAt)).toBeLessThanOrEqual(Date.parse(later.startedAt));
    expect(sooner.record.admission).toMatchObject({ priority: 9, grantedBytesPerSecond: 20 * MBIT });
  });

  test('for the link: one over no link begins meanwhile; a cancelled one leaves, one that is too late is dropped', async () => {
    const { alpha } = await pair(['a', 'b', 'c', 'd'], 2, '10Mbit/s');
    await runs(alpha, await move(alpha, 'a', at('6Mbit/s')));
    const cancelled = await move(alpha, 'b', { ...at('6Mbit/s'), priority: 9 });
    const late = await move(alpha, 'c', { ...at('6Mbit/s'), priority: 9, patienceSeconds: 0.5 });
    const { over: _, ...alone } = at('100Mbit/s');
    expect((await ended(alpha, await move(alpha, 'd', alone))).state).toBe('completed');
    expect((await ended(alpha, late)).why).toBe(
      "not admitted: not begun within 500 ms; it waited for link 'lan'",
    );
    expect(await lan(alpha)).toMatchObject({ reservedBytesPerSecond: 6 * MBIT, waiting: 1 });
    expect((await ask(alpha, 'DELETE', cancelled)).status).toBe(202);
    expect(await lan(alpha)).toMatchObject({ reservedBytesPerSecond: 6 * MBIT, waiting: 0 });
    const metrics = (await ask(alpha, 'GET', '/metrics')).body as string;
    expect(reading(metrics, 'switchover_link_reserved_bytes_per_second{link="lan"}')).toBe(6 * MBIT);
    expect(reading(metrics, 'switchover_link_waiting_migrations{link="lan"}')).toBe(0);
  });
});

test('a link that shrinks by a reload slows a migration down, but takes all from none', async () => {
  const { alpha, beta, reload } = await pair(['a', 'b'], 2, '10Mbit/s');
  const slowed = await move(alpha, 'a', at('5Mbit/s', { least: '1Mbit/s' }));
  await runs(alpha, slowed);
  const firm = await move(alpha, 'b', at('4Mbit/s'));
  await runs(alpha, firm);
  for (const less of [{ lan: { capacity: '3Mbit/s' } }, { wan: { capacity: '1Gbit/s' } }]) {
    const before = alpha.log.length;
    reload(less);
    await eventually(
      async () => alpha.log.slice(before),
      (log) =>
        log.includes(
          'links.lan.capacity: expected enough for what migrations have reserved of it (9 Mbit/s)',
        ),
    );
    expect(await lan(alpha)).toMatchObject({
      capacityBytesPerSecond: 10 * MBIT,
      reservedBytesPerSecond: 9 * MBIT,
    });
  }
  expect((await view(alpha, firm)).state).toBe('running');
  await ask(alpha, 'DELETE', firm);
  await ended(alpha, firm);
  reload({ lan: { capacity: '3Mbit/s' } });
  await eventually(
    () => lan(alpha),
    ({ capacityBytesPerSecond }) => capacityBytesPerSecond === 3 * MBIT,
  );
  expect(await lan(alpha)).toMatchObject({ reservedBytesPerSecond: 3 * MBIT });
  const { state, record } = await ended(alpha, slowed);
  expect(state).toBe('completed');
  expect(record.admission).toMatchObject({
    capacityBytesPerSecond: 3 * MBIT,
    priority: 5,
    grantedBytesPerSecond: 5 * MBIT,
    revocations: [{ rateBytesPerSecond: 3 * MBIT }],
  });
  expect(record.link.worstExcessBytes).toBeLessThanOrEqual(0);
  expect(record.admission.releasedAtNs).toBeGreaterThan(record.admission.askedAtNs);
  await eventually(
    () => lan(alpha),
    ({ reservedBytesPerSecond }) => reservedBytesPerSecond === 0,
  );
  expect((await guestsOf(alpha)()).map(({ name }) => name)).toEqual(['b']);
  expect((await guestsOf(beta)()).map(({ name }) => name)).toEqual(['a']);
});

test('what cannot be honoured of a link is refused with its path, and what is too much with the numbers', async () => {
  const { alpha } = await pair(['a'], 1, '10Mbit/s');
  const post = (body: object) => ask(alpha, 'POST', '/api/migrations', { guest: 'a', to: 'beta', ...body });
  const { over: _, ...alone } = at('5Mbit/s', { least: '1Mbit/s' });
  const paths = async (body: object) => {
    const { status, body: answer } = await post(body);
    expect(status).toBe(400);
    return answer.problems.map(({ path }: { path: string }) => path);
  };
  expect(await paths(alone)).toEqual(['body.link.least']);
  expect(await paths(at('5Mbit/s', { least: '6Mbit/s' }))).toEqual(['body.link.least']);
  expect(await paths(at('unlimited'))).toEqual(['body.link.rate', 'body.link.stopRate']);
  expect(await post(at('5Mbit/s', { stopRate: '11Mbit/s' }))).toMatchObject({
    status: 422,
    body: { error: expect.stringMatching(/^link 'lan': .*11 Mbit\/s asked of a link of 10 Mbit\/s/) },
  });
  const greedy = { ...at('5Mbit/s'), sender: { reservation: { budget: '10ms', period: '10ms' } } };
  expect(await post(greedy)).toMatchObject({
    status: 422,
    body: {
      error: expect.stringMatching(/^1\.00 of a processor asked for, 0\.00 in use, of \d+; at most 0\.95/),
    },
  });
});

test('nothing goes past the link over which a peer is reached, whatever is asked for', async () => {
  const peers = { beta: { address: '127.0.0.1:9', over: 'lan' } };
  const { alpha } = await pair(['a'], 1, '10Mbit/s', { peers });
  const { over: _, ...unlimited } = at('unlimited');
  for (const to of ['beta', '127.0.0.1:9']) {
    const post = (body: object) => ask(alpha, 'POST', '/api/migrations', { guest: 'a', to, ...body });
    const { status, body } = await post(unlimited);
    expect(status).toBe(400);
    expect(body.problems.map(({ path }: { path: string }) => path)).toEqual([
      'body.link.rate',
      'body.link.stopRate',
    ]);
    const { over: __, ...fast } = at('20Mbit/s');
    expect(await post(fast)).toMatchObject({ status: 422 });
    expect((await post({ ...at('5Mbit/s'), over: 'wan' })).body.problems).toMatchObject([
      { path: 'body.over', expected: 'lan, the link over which that peer is reached', found: '"wan"' },
    ]);
  }
});

test('a migration that cannot be set up gives back its part of the link and of the processors', async () => {
  const { alpha } = await pair(['a'], 1, '10Mbit/s');
  const sender = { reservation: { budget: '5ms', period: '10ms' } };
  const path = await move(alpha, 'a', { ...at('5Mbit/s'), to: '127.0.0.1:1', sender });
  expect(await ended(alpha, path)).toMatchObject({ state: 'failed', record: { admission: null } });
  expect(await lan(alpha)).toMatchObject({ reservedBytesPerSecond: 0, waiting: 0 });
  expect((await view(alpha, '/api/state')).cpu.holders).toEqual([]);
});

describe('the processors of a host', () => {
  const processors = availableParallelism();
  const reservation = (budget: string) => ({ budget, period: '10ms' });

  test('are never reserved beyond what there is for three experiments that want more together', async () => {
    daemons = new Daemons();
    const daemon = await daemons.start('alone', { limits: { runningExperiments: 3 } });
    const scenario = {
      guest: { ...idle('guest'), reservation: reservation('6ms') },
      sender: { reservation: reservation('6ms') },
      cpu: { processors: 2 },
      link: { rate: '50Mbit/s' },
      migration: { order: 'address', stop: { rule: 'rounds', rounds: 1 } },
    };
    const asked = [];
    for (const world of ['threads', 'threads', 'threads', 'virtual']) {
      const { status, body } = await ask(daemon, 'POST', '/api/experiments', { scenario, world });
      expect(status).toBe(202);
      asked.push(`/api/experiments/${body.id}`);
    }
    let most = 0;
    await eventually(
      () => view(daemon, '/api/state'),
      ({ cpu, experiments }) => {
        expect(cpu.processors).toBe(processors);
        most = Math.max(most, cpu.reserved.experiment);
        return experiments.every(({ endedAt }: { endedAt: string | null }) => endedAt !== null);
      },
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(0.95 * processors);
    for (const path of asked) expect(await view(daemon, path)).toMatchObject({ state: 'completed' });
    const metrics = (await ask(daemon, 'GET', '/metrics')).body as string;
    expect(reading(metrics, 'switchover_cpu_reserved_processors{holder="experiment"}')).toBe(0);
    expect(reading(metrics, 'switchover_cpu_reservable_processors')).toBeCloseTo(0.95 * processors);
  });

  test('have no room for another guest when each has one: it is not booted, and does not arrive', async () => {
    daemons = new Daemons();
    const { alpha, beta } = await daemons.pair({
      guests: [idle('moving', { reservation: reservation('6ms') })],
    });
    for (let index = 0; index < processors; index++) {
      const guest = idle(`stays-${index}`, { reservation: reservation('6ms') });
      expect((await ask(beta, 'POST', '/api/guests', guest)).status).toBe(201);
    }
    const inUse = (0.6 * processors).toFixed(2);
    const numbers = `0.60 of a processor asked for, ${inUse} in use, of ${processors}; at most 0.95 of each may be reserved`;
    const another = idle('another', { reservation: reservation('6ms') });
    expect(await ask(beta, 'POST', '/api/guests', another)).toMatchObject({
      status: 409,
      body: { error: numbers },
    });
    const { over: _, ...alone } = at('50Mbit/s');
    const refused = await ended(alpha, await move(alpha, 'moving', alone));
    expect(refused).toMatchObject({ state: 'failed', why: expect.stringContaining(numbers) });
    expect(await guestsOf(alpha)()).toMatchObject([{ name: 'moving', state: 'running' }]);
    expect((await ask(beta, 'DELETE', '/api/guests/stays-0')).status).toBe(204);
    expect((await ended(alpha, await move(alpha, 'moving', alone))).state).toBe('completed');
    expect((await view(alpha, '/api/state')).cpu.holders).toEqual([]);
  });
});
