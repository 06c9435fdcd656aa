import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import type { Step } from '../../../src/core/migration/steps.ts';
import { drive } from '../../../src/run/drive.ts';
import type { OutgoingMigration } from '../../../src/worlds/outgoing/outgoing-migration.ts';
import { Host } from '../../../src/worlds/threads/host.ts';
import { entriesIn } from '../../fixtures/journals.ts';
import { neverMoved } from '../../fixtures/never-moved.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { unsentAnswered } from '../../fixtures/unsent.ts';

/** Two hosts with real sockets between them. */
const { guest, plan, cpu } = smallSetup({ plan: { verify: 'checksums' } });
const { name } = guest;
const definition = { guest, reservation: null };
let folder: string;
let here: Host;
let there: Host;
let before: { descriptors: number; threads: number };

/** What the kernel says this process holds. */
function held() {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
  };
}

beforeAll(unsentAnswered);
beforeEach(async () => {
  before = held();
  folder = mkdtempSync(join(tmpdir(), 'switchover-host-'));
  [here, there] = [await listen('here'), await listen('there')];
});
afterEach(async () => {
  await Promise.all([here.close(), there.close()]);
  rmSync(folder, { recursive: true });
  await expect.poll(held).toEqual(before);
});

const listen = (journals: string) =>
  Host.listen({ host: '127.0.0.1', port: 0, journals: join(folder, journals), log: () => {} });
const to = (host: Host, silenceMs = 30_000) => ({ ...host.address, key: null, silenceMs });
const stateAt = (host: Host) => host.guests().find((guest) => guest.name === name)?.state;

async function migrate(from: Host, host: Host, change: Partial<typeof plan> = {}): Promise<MigrationResult> {
  return carriedOut(await from.migrate(name, { plan: { ...plan, ...change }, cpu }, to(host)), change);
}

/** Carries a migration out; `at` is called before every step. */
async function carriedOut(
  world: OutgoingMigration,
  change: Partial<typeof plan> = {},
  at: (step: Step) => void = () => {},
): Promise<MigrationResult> {
  const watched = {
    startedAt: world.startedAt,
    slices: () => world.slices(),
    allow: () => {},
    close: () => world.close(),
    perform: (step: Step) => {
      at(step);
      return world.perform(step);
    },
  };
  try {
    return await drive({ ...plan, ...change }, watched);
  } finally {
    await world.close();
  }
}

/** Stops the guest and holds its memory against that of one that never moved. */
async function expectWhole(host: Host): Promise<void> {
  await host.pause(name);
  const { steps } = host.guests()[0]!;
  expect(steps).toBeGreaterThan(0);
  expect(await host.hash(name)).toBe(neverMoved(guest, steps));
}

/** It makes steps. */
async function expectRuns(host: Host): Promise<void> {
  const { steps } = host.guests()[0]!;
  await expect.poll(() => host.guests()[0]!.steps).toBeGreaterThan(steps);
}

describe('a guest that lives on a host', () => {
  test('runs, is paused and resumed, and is removed', async () => {
    await here.boot(definition);
    expect(here.guests()).toMatchObject([{ name, pages: 800, pageSizeBytes: 4096, state: 'running' }]);
    await expectRuns(here);
    await here.pause(name);
    const paused = here.guests()[0]!;
    expect(paused.state).toBe('paused');
    await sleep(60);
    expect(here.guests()[0]).toEqual(paused);
    await here.resume(name);
    await expectRuns(here);
    await expectWhole(here);
    await here.remove(name);
    expect(here.guests()).toEqual([]);
  });

  test('is refused where its name is taken, and where it is not known', async () => {
    await here.boot(definition);
    await expect(here.boot(definition)).rejects.toThrow(`a guest 'small' is already here`);
    await here.remove(name);
    await here.boot(definition, { paused: true });
    expect(stateAt(here)).toBe('paused');
    for (const action of [there.pause(name), there.remove(name), migrate(there, here)]) {
      await expect(action).rejects.toThrow(`no guest 'small' here`);
    }
  });

  test('is larger than its host: refused, and nothing is taken for it', async () => {
    const large = { ...definition, guest: { ...guest, pages: 2 ** 31 } };
    await expect(here.boot(large)).rejects.toThrow('not enough memory for a guest of 8 TiB: guests may have');
    await here.boot(definition);
  });
});

describe('a migration from host to host', () => {
  test('takes the guest along, and its memory is that of a guest that never moved', async () => {
    await here.boot(definition);
    expect(await migrate(here, there)).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(here.guests()).toEqual([]);
    await expectRuns(there);
    await expectWhole(there);
    await expect.poll(() => Object.values(entriesIn(join(folder, 'there')))[0]!.at(-1)).toBe('ended');
    expect(Object.values(entriesIn(join(folder, 'here')))[0]!.at(-1)).toBe('ended');
  });

  test('can be followed by another, back and forth', async () => {
    await here.boot(definition);
    const hosts = [here, there] as const;
    const quick = { observeNs: 0, rateBytesPerSecond: null, stopRateBytesPerSecond: null };
    for (let leg = 0; leg < 6; leg++) {
      const course = await migrate(hosts[leg % 2]!, hosts[(leg + 1) % 2]!, quick);
      expect(course.outcome).toBe('completed');
    }
    await expectWhole(here);
  });

  test.each([512, 2 ** 18, 2 ** 20])('takes pages of %i bytes along', async (pageSizeBytes) => {
    const few = {
      ...guest,
      pages: 6,
      pageSizeBytes,
      program: { kind: 'sequential', pages: 6, writesPerSecond: 50 },
    } as const;
    await here.boot({ guest: few, reservation: null });
    const pages = { pages: few.pages, pageBytes: pageSizeBytes + 16, depthBytes: 2 ** 21, observeNs: 0 };
    expect(await migrate(here, there, pages)).toMatchObject({ outcome: 'completed' });
    await there.pause(name);
    expect(await there.hash(name)).toBe(neverMoved(few, there.guests()[0]!.steps));
  });

  test('leaves a paused guest paused, there and on a failure here', async () => {
    await here.boot(definition);
    await here.pause(name);
    const paused = here.guests()[0]!;
    const world = await here.migrate(name, { plan, cpu }, to(there));
    const cancelled = await carriedOut(world, {}, ({ kind }) => {
      if (kind === 'hand over') world.cancel('enough');
    });
    expect(cancelled).toMatchObject({ outcome: 'cancelled', owner: 'source', reason: 'enough' });
    expect(here.guests()[0]).toEqual(paused);
    expect(await migrate(here, there)).toMatchObject({ outcome: 'completed' });
    await expect.poll(() => there.guests()[0]).toEqual(paused);
    await there.resume(name);
    await expectRuns(there);
    await expectWhole(there);
  });

  test('is refused while there is one, and so is all else that cannot be done meanwhile', async () => {
    await here.boot(definition);
    const world = await here.migrate(name, { plan, cpu }, to(there));
    expect([stateAt(here), stateAt(there)]).toEqual(['leaving', 'arriving']);
    for (const action of [migrate(here, there), here.pause(name), here.remove(name)]) {
      await expect(action).rejects.toThrow(`guest 'small' is being migrated already`);
    }
    await expect(there.resume(name)).rejects.toThrow(`guest 'small' is still arriving`);
    expect(await carriedOut(world)).toMatchObject({ outcome: 'completed' });
  });

  test('that cannot begin leaves the guest as it was', async () => {
    await here.boot(definition);
    await there.boot(definition);
    await expect(migrate(here, there)).rejects.toThrow('is already here or arriving');
    const nowhere = { host: '127.0.0.1', port: 1, key: null };
    await expect(here.migrate(name, { plan, cpu }, nowhere)).rejects.toThrow('no destination at');
    const short = { ...plan, pages: 700 };
    await expect(here.migrate(name, { plan: short, cpu }, nowhere)).rejects.toThrow(
      'the plan is for 700 pages',
    );
    expect(stateAt(here)).toBe('running');
    await there.remove(name);
    expect(await migrate(here, there)).toMatchObject({ outcome: 'completed' });
  });
});

describe('cancelling', () => {
  test.each([
    ['while the guest is watched', 'observe', 5],
    ['in a live round', 'send', 5],
    ['while the guest is paused', 'stop', 0],
    ['at the hand-over', 'hand over', 0],
  ] as const)('%s is an outcome, and the guest runs on here', async (_, kind, afterMs) => {
    await here.boot(definition);
    const heeded: boolean[] = [];
    const recent = { order: 'lru' } as const;
    const world = await here.migrate(name, { plan: { ...plan, ...recent }, cpu }, to(there));
    const cancel = () => heeded.push(world.cancel('not now'), world.cancel('a second time'));
    const course = await carriedOut(world, recent, (step) => {
      if (step.kind !== kind || heeded.length > 0) return;
      if (afterMs > 0) setTimeout(cancel, afterMs);
      else cancel();
    });
    expect(course).toMatchObject({ outcome: 'cancelled', reason: 'not now', owner: 'source' });
    expect(heeded.slice(0, 2)).toEqual([true, true]);
    expect(world.cancel('afterwards')).toBe(false);
    await expectRuns(here);
    await expect.poll(() => there.guests()).toEqual([]);
    expect(await migrate(here, there)).toMatchObject({ outcome: 'completed' });
    await expectWhole(there);
  });

  test('by the guest’s name, also before the destination has answered', async () => {
    await here.boot(definition);
    expect(() => here.cancel(name)).toThrow('is not being migrated');
    const setUp = here.migrate(name, { plan, cpu }, to(there));
    expect(here.cancel(name, 'too soon')).toBe(true);
    await expect(setUp).rejects.toThrow('too soon');
    await expectRuns(here);
    await expect.poll(() => there.guests()).toEqual([]);
    expect(await migrate(here, there)).toMatchObject({ outcome: 'completed' });
  });

  test('comes too late once the guest has been given away', async () => {
    await here.boot(definition);
    const world = await here.migrate(name, { plan, cpu }, to(there));
    expect(await drive(plan, world)).toMatchObject({ outcome: 'completed' });
    expect(world.cancel('too late')).toBe(false);
    await world.close();
    await expectRuns(there);
  });

  test('all that is under way is what closing a host does', async () => {
    await here.boot(definition);
    const world = await here.migrate(name, { plan, cpu }, to(there));
    const course = carriedOut(world);
    await sleep(150);
    await here.close();
    expect(await course).toMatchObject({ outcome: 'cancelled', reason: 'the host is closing' });
    expect(here.guests()).toEqual([]);
    here = await listen('again');
  });
});

describe('the watchdog', () => {
  test('lets a guest that was paused for too long run on here, and the record says so', async () => {
    await here.boot(definition);
    // A full bucket has room for all, so that no rule predicts it.
    const course = await migrate(here, there, { stopTimeoutNs: 100_000, depthBytes: 8 * 2 ** 20 });
    expect(course).toMatchObject({
      outcome: 'aborted',
      owner: 'source',
      reason: 'the guest was paused for 100 µs, as long as migration.stopTimeout allows',
    });
    expect(course.downtimeNs).toBeGreaterThan(100_000);
    await expectRuns(here);
    await expectWhole(here);
  });
});
