import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { main, root } from '../fixtures/command.ts';
import { has } from '../fixtures/daemons.ts';
import { noTwoHosts, TwoHosts } from '../fixtures/two-hosts.ts';
import { excessOf, hasLeft, SEGMENT_BYTES, WireDump } from '../fixtures/wire-dump.ts';

const RATE = 200 * 125_000;
const DEPTH = 256 * 1024;

/**
 * What leaves is measured by somebody else: tcpdump(1) on the source's device, while the receiver stands still. Its kernel
 * takes in what fits into its buffer, and then the source's kernel has to keep what it is given.
 */
describe.skipIf(noTwoHosts !== undefined || !has('tcpdump'))('the wire, with a receiver that stands', () => {
  let folder: string;
  let hosts: TwoHosts;
  let receiver: ChildProcess;
  let destination: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchover-unsent-'));
    writeFileSync(join(folder, 'key'), 'k'.repeat(32), { mode: 0o600 });
    writeFileSync(
      join(folder, 'guest.yaml'),
      `guest: { pages: 15000, program: { kind: classes, classes: [{ pages: 50, writesPerSecond: 20 }] } }
link: { rate: 200Mbit/s, depth: 256KiB }
migration: { order: address, observe: 0s, stop: { rule: rounds, rounds: 1 } }
`,
    );
    hosts = TwoHosts.create();
    const listen = ['receive', '--listen', `${hosts.address}:0`, '--key-file', join(folder, 'key')];
    const [program, args] = TwoHosts.in(hosts.there, process.execPath, main, ...listen);
    receiver = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(receiver.stdout!, 'data');
    destination = /listening on (\S+)/.exec(String(line))![1]!;
  });
  afterAll(async () => {
    receiver?.kill('SIGKILL');
    hosts?.end();
    rmSync(folder, { recursive: true });
  });

  test.each([
    0, 100, 500, 2_000,
  ])('for %i ms carries at most a segment more than is reserved', async (standsMs) => {
    const dump = join(folder, `${standsMs}.txt`);
    const wire = await WireDump.begin(hosts.here, dump);
    const run = ['run', join(folder, 'guest.yaml'), '--world', 'threads', '--json', '-', '--quiet'];
    const there = ['--to', destination, '--key-file', join(folder, 'key')];
    const command = TwoHosts.in(hosts.here, process.execPath, main, ...run, ...there);
    const migrated = promisify(execFile)(...command, { cwd: root });
    await hasLeft(hosts.here, 1e6);
    receiver.kill('SIGSTOP');
    await sleep(standsMs);
    receiver.kill('SIGCONT');
    const record: MigrationRecord = JSON.parse((await migrated).stdout);
    const seen = excessOf(await wire.end(), DEPTH, RATE);
    console.log(
      `receiver stood for ${standsMs} ms: excess on the wire ${seen}, in the record ${record.link.worstExcessBytes} bytes`,
    );
    expect(record.outcome).toBe('completed');
    expect(seen).toBeLessThanOrEqual(SEGMENT_BYTES);
    expect(record.link.worstExcessBytes!).toBeLessThanOrEqual(SEGMENT_BYTES);
  });
});
