import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { main, root } from '../fixtures/command.ts';
import { noTwoHosts, TwoHosts } from '../fixtures/two-hosts.ts';

/**
 * Source and destination on two hosts, as far as the network goes: each in a network namespace of its own, joined by
 * virtual Ethernet that the kernel shapes to 80 Mbit/s (tc-tbf(8)). Both commands as a user runs them.
 */
const LINK = '80mbit';
const MBIT = 125_000;

describe.skipIf(noTwoHosts !== undefined)('between two hosts', { retry: 1 }, () => {
  let folder: string;
  let hosts: TwoHosts;
  let receiver: ChildProcess;
  let destination: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchover-hosts-'));
    writeFileSync(join(folder, 'key'), randomBytes(32), { mode: 0o600 });
    writeFileSync(
      join(folder, 'small.yaml'),
      `describe: A guest for another host
guest: { pages: 2500, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 20 } ] } }
link: { rate: 50Mbit/s, depth: 512KiB }
migration: { order: address, verify: full, stop: { rule: rounds, rounds: 2 } }
`,
    );
    hosts = TwoHosts.create();
    hosts.shape(LINK);
    receiver = spawn(
      ...TwoHosts.in(
        hosts.there,
        process.execPath,
        main,
        'receive',
        '--listen',
        `${hosts.address}:0`,
        '--key-file',
        join(folder, 'key'),
      ),
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = createInterface(receiver.stdout!)[Symbol.asyncIterator]();
    destination = /listening on (\S+)/.exec((await lines.next()).value)![1]!;
  });
  afterAll(async () => {
    if (receiver) {
      const ended = new Promise((resolve) => receiver.once('exit', resolve));
      receiver.kill('SIGTERM');
      await ended;
    }
    hosts?.end();
    if (folder) rmSync(folder, { recursive: true });
  });

  async function migrate(...more: string[]): Promise<MigrationRecord> {
    const own = [
      '--world',
      'threads',
      '--to',
      destination,
      '--key-file',
      join(folder, 'key'),
      '--json',
      '-',
      '--quiet',
    ];
    const command = TwoHosts.in(
      hosts.here,
      process.execPath,
      main,
      'run',
      join(folder, 'small.yaml'),
      ...own,
      ...more,
    );
    const text = await new Promise<string>((resolve, reject) => {
      execFile(...command, { cwd: root }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
    return JSON.parse(text);
  }

  test('a reservation below what the link carries holds, and the guest arrives whole', async () => {
    const { outcome, verified, outage, link, rounds } = await migrate();
    expect(outcome).toBe('completed');
    expect(verified).toEqual({ memory: 'identical', continued: 'identical' });
    expect(outage).toMatchObject({ lostHeartbeats: 0, repeatedHeartbeats: 0 });
    expect(link.worstExcessBytes).toBeLessThanOrEqual(0);
    expect(link.utilisation).toBeGreaterThan(0.97);
    expect(rate(rounds[0]!, link.depthBytes)).toBeGreaterThan(0.9 * 50 * MBIT);
  });

  test('one above it cannot be attained, and the record shows by how much', async () => {
    const { outcome, link, rounds } = await migrate('--set', 'link.rate=160Mbit/s');
    expect(outcome).toBe('completed');
    expect(link.worstExcessBytes).toBeLessThanOrEqual(0);
    // Of what was reserved half can leave, and what the kernel's buffers take at first.
    expect(link.utilisation).toBeLessThan(0.85);
    const { bytes, durationNs } = rounds[0]!;
    expect((bytes * 1e9) / durationNs).toBeLessThan(90 * MBIT);
  });

  test('the stop takes as long as the formula says at the b_d that the link carries', async () => {
    const { stop, plan, downtimeParts } = await migrate(
      '--set',
      'link.stopRate=20Mbit/s',
      '--set',
      'link.depth=8KiB',
    );
    const formulaNs = (stop.pages * plan.pageBytes * 1e9) / (20 * MBIT);
    expect(stop.pages).toBeGreaterThan(10);
    expect(downtimeParts.memoryNs).toBeGreaterThan(formulaNs - (plan.depthBytes * 1e9) / (20 * MBIT) - 1e6);
    expect(downtimeParts.memoryNs).toBeLessThan(2 * formulaNs + 50e6);
  });
});

function rate({ bytes, durationNs }: MigrationRecord['rounds'][number], depthBytes: number): number {
  return ((bytes - depthBytes) * 1e9) / durationNs;
}

test('two hosts leave no namespace behind', { timeout: 30_000 }, async (context) => {
  context.skip(noTwoHosts !== undefined, noTwoHosts);
  const hosts = TwoHosts.create();
  hosts.end();
  const listed = await new Promise<string>((resolve) =>
    execFile('ip', ['netns', 'list'], (_, stdout) => resolve(stdout)),
  );
  expect(listed).not.toContain(hosts.here);
  expect(listed).not.toContain(hosts.there);
});
