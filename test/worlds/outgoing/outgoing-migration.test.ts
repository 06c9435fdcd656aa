import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
    close: () => world.close().then(async () => void [await here.close(), await there.close()]),
  };
}

const kinds: [string, (journals: string) => Promise<Migrating>][] = [
  ['a thread, moved by a run', (journals) => inWorld('threads', journals)],
  ['a thread that lives on a host', ofHost],
];
if (withoutQemu === undefined) kinds.push(['a virtual machine', (journals) => inWorld('vm', journals)]);

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
      expect(result.downtimeParts.memoryNs).toBe(result.downtimeNs);
      expect(entries()).toEqual(['begun']);
    } finally {
      limitFiles('unlimited');
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
