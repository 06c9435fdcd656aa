import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvariantViolated } from '../../../src/core/invariants.ts';
import type { Step, StepResult } from '../../../src/core/migration/steps.ts';
import { drive } from '../../../src/run/drive.ts';
import { Host } from '../../../src/worlds/threads/host.ts';
import type { World } from '../../../src/worlds/world.ts';
import { worldFactory } from '../../../src/worlds/worlds.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { smallSetup } from '../../fixtures/setup.ts';

/** The one source end, over every kind of guest that this machine can run. */
const setup = smallSetup({ plan: { observeNs: 0 } });

interface Migrating {
  readonly world: World;
  /** The guests of both hosts, where these outlive the migration. */
  readonly hosts?: readonly Host[];
  close(): Promise<void>;
}

async function inWorld(name: 'threads' | 'vm', journals: string): Promise<Migrating> {
  const factory = await worldFactory(name, { journals });
  const world = await factory.create(setup);
  return { world, close: () => world.close().then(() => factory.close()) };
}

async function ofHost(journals: string): Promise<Migrating> {
  const listen = (folder?: string) =>
    Host.listen({ host: '127.0.0.1', port: 0, journals: folder, log: () => {} });
  const [here, there] = [await listen(journals), await listen()];
  await here.boot({ guest: setup.guest, reservation: null });
  const world = await here.migrate(setup.guest.name, setup, { ...there.address, key: null });
  return {
    world,
    hosts: [here, there],
    close: () => world.close().then(async () => void [await here.close(), await there.close()]),
  };
}

const kinds: [string, (journals: string) => Promise<Migrating>][] = [
  ['a thread, moved by a run', (journals) => inWorld('threads', journals)],
  ['a thread that lives on a host', ofHost],
];
if (withoutQemu === undefined) kinds.push(['a virtual machine', (journals) => inWorld('vm', journals)]);

/** The same world, but for what it answers to one kind of step: that this took less than no time. */
function lying(world: World, about: Step['kind']): World {
  const perform = async (step: Step): Promise<StepResult> => {
    const answer = await world.perform(step);
    return step.kind === about ? { ...answer, now: -1 } : answer;
  };
  return {
    ...{ startedAt: world.startedAt, perform },
    allow() {},
    slices: () => [],
    close: () => world.close(),
  };
}

/** The largest file that this process may write: what is longer is refused (setrlimit(2), EFBIG). */
function limitFiles(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', `${process.pid}`, `--fsize=${bytes}:unlimited`]);
}

describe.each(kinds)('the guest being %s', (_, begin) => {
  let journals: string;
  beforeEach(() => {
    journals = mkdtempSync(join(tmpdir(), 'switchover-outgoing-'));
  });
  afterEach(() => rmSync(journals, { recursive: true }));
  const journal = () => join(journals, readdirSync(journals).find((name) => name.includes('.source.'))!);
  const entries = () =>
    readFileSync(journal(), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).entry);

  test('a stop that the journal refuses is downtime all the same, since the guest was paused', async () => {
    const { world, close } = await begin(journals);
    try {
      const result = await drive(setup.plan, world, ({ kind }) => {
        if (kind === 'harvest') limitFiles(statSync(journal()).size);
      });
      expect(result).toMatchObject({ outcome: 'failed', owner: 'source', stop: { pages: 0 } });
      expect(result.reason).toContain('cannot write');
      expect(result.downtimeNs).toBeGreaterThan(0);
      expect(result.downtimeParts).toMatchObject({ dirtyScanNs: result.downtimeNs, memoryNs: 0 });
      expect(entries()).toEqual(['begun']);
    } finally {
      limitFiles('unlimited');
      await close();
    }
  });

  test.each([
    'send',
    'stop',
  ] as const)('a rule of core that a %s breaks ends the migration, and nothing else', async (kind) => {
    const { world, hosts, close } = await begin(journals);
    try {
      await expect(drive(setup.plan, lying(world, kind))).rejects.toThrow(InvariantViolated);
      await world.close();
      expect(entries()).toEqual(kind === 'stop' ? ['begun', 'stopped', 'aborted'] : ['begun', 'aborted']);
      if (!hosts) return;
      const [here, there] = hosts as [Host, Host];
      await expect.poll(() => there.guests()).toEqual([]);
      expect(here.guests()).toMatchObject([{ name: setup.guest.name, state: 'running' }]);
      const [before] = here.guests();
      await expect.poll(() => here.guests()[0]!.steps).toBeGreaterThan(before!.steps);
      // Closed again, it does nothing to a guest that is its user's once more.
      await here.pause(setup.guest.name);
      await world.close();
      expect(here.guests()).toMatchObject([{ state: 'paused' }]);
      const again = await here.migrate(setup.guest.name, setup, { ...there.address, key: null });
      expect(await drive(setup.plan, again)).toMatchObject({ outcome: 'completed', owner: 'destination' });
      await again.close();
      expect(there.guests()).toMatchObject([{ name: setup.guest.name, state: 'paused' }]);
    } finally {
      await close();
    }
  });

  test('a migration that is closed before its end is aborted in its journal', async () => {
    const { close } = await begin(journals);
    expect(entries()).toEqual(['begun']);
    await close();
    expect(entries()).toEqual(['begun', 'aborted']);
  });
});
