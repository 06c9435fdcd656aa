import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Conformance } from '../../src/core/link/conformance.ts';
import type { MigrationRecord } from '../../src/core/migration/record.ts';
import { main, root } from '../fixtures/command.ts';
import { has } from '../fixtures/daemons.ts';
import { noTwoHosts, TwoHosts } from '../fixtures/two-hosts.ts';

const RATE = 200 * 125_000;
const DEPTH = 256 * 1024;
/** tcpdump sees segments as the device gets them, up to this size: so much leaves at one instant. */
const SEGMENT = 64 * 1024;

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
    const options = [
      '-nn',
      '-tt',
      '-i',
      hosts.here,
      '-B',
      '65536',
      '--immediate-mode',
      '-s',
      '96',
      '-w',
      dump,
    ];
    const [program, args] = TwoHosts.in(hosts.here, 'tcpdump', ...options, 'tcp and src host 192.0.2.1');
    const watcher = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(watcher.stderr, 'data');
    const run = ['run', join(folder, 'guest.yaml'), '--world', 'threads', '--json', '-', '--quiet'];
    const there = ['--to', destination, '--key-file', join(folder, 'key')];
    const command = TwoHosts.in(hosts.here, process.execPath, main, ...run, ...there);
    const migrated = promisify(execFile)(...command, { cwd: root });
    await firstMegabyte(hosts.here);
    receiver.kill('SIGSTOP');
    await sleep(standsMs);
    receiver.kill('SIGCONT');
    const record: MigrationRecord = JSON.parse((await migrated).stdout);
    watcher.kill('SIGINT');
    await once(watcher, 'exit');
    const seen = await onTheWire(dump, hosts.here);
    console.log(
      `receiver stood for ${standsMs} ms: excess on the wire ${seen}, in the record ${record.link.worstExcessBytes} bytes`,
    );
    expect(record.outcome).toBe('completed');
    expect(seen).toBeLessThanOrEqual(SEGMENT);
    expect(record.link.worstExcessBytes!).toBeLessThanOrEqual(SEGMENT);
  });
});

/** Waits until so much has left a device. */
async function firstMegabyte(device: string): Promise<void> {
  const file = `/sys/class/net/${device}/statistics/tx_bytes`;
  const sent = async () => {
    const [program, args] = TwoHosts.in(device, 'cat', file);
    return Number((await promisify(execFile)(program, args)).stdout);
  };
  const before = await sent();
  while ((await sent()) - before < 1e6) await sleep(20);
}

/** The worst excess of the pages' connection, whose segments are counted once. */
async function onTheWire(dump: string, namespace: string): Promise<number> {
  const [program, args] = TwoHosts.in(namespace, 'tcpdump', '-nn', '-tt', '-r', dump);
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 2 ** 28 });
  const flows = new Map<string, { account: Conformance; end: number }>();
  for (const line of stdout.split('\n')) {
    const found = /^(\d+\.\d+) IP (\S+) > .* seq (\d+):(\d+),/.exec(line);
    if (!found) continue;
    const [, seconds, from, , end] = found;
    const atNs = Math.round(Number(seconds) * 1e9) % 1e15;
    const flow = flows.get(from!) ?? { account: new Conformance(DEPTH, atNs), end: 0 };
    flows.set(from!, flow);
    const more = Number(end) - flow.end;
    if (more <= 0) continue;
    flow.account.departed(atNs, more, RATE);
    flow.end = Number(end);
  }
  const largest = [...flows.values()].reduce((one, other) => (other.end > one.end ? other : one));
  return largest.account.worstExcessBytes;
}
