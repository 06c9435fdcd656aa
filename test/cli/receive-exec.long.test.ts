import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Qmp } from '../../src/qemu/qmp.ts';
import { main, root, switchover } from '../fixtures/command.ts';
import { OthersMachine, qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';
import { killed, slowly } from '../fixtures/relayed-machine.ts';
import { writingBios } from '../fixtures/writing-bios.ts';

let folder: string;
let machine: OthersMachine;
let receiver: ChildProcess | undefined;
let exited: Promise<readonly unknown[]>;
beforeEach((context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  folder = mkdtempSync(join(tmpdir(), 'switchover-exec-'));
  writeFileSync(join(folder, 'bios'), writingBios());
});
afterEach(async () => {
  receiver?.kill('SIGTERM');
  await exited;
  for (const name of left()) await quit(join(folder, name, 'qmp')).catch(() => {});
  await machine?.end();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** The machine of the fixture, as a user would start it. */
function command(): string {
  const [program, ...options] = qemu10;
  return [
    ...[program, ...options, '-accel', 'tcg', '-m', '16', '-nodefaults', '-no-user-config'],
    ...['-display', 'none', '-bios', join(folder, 'bios')],
  ].join(' ');
}

/** Everything that it prints, and where it listens. */
async function receive(): Promise<{ readonly said: string[]; readonly address: string }> {
  const said: string[] = [];
  const words = [main, 'receive', '--exec', command()];
  receiver = spawn(process.execPath, words, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  exited = once(receiver, 'exit');
  for (const stream of [receiver.stdout!, receiver.stderr!])
    stream.on('data', (text) => said.push(String(text)));
  while (!said.join('').includes('listening on')) await sleep(20);
  return { said, address: /listening on (\S+?),?\s/.exec(`${said.join('')} `)![1]! };
}

const monitorIn = (said: readonly string[]) => /its monitor: (\S+)/.exec(said.join(''))![1]!;

/** @returns what it was before */
async function quit(monitor: string): Promise<unknown> {
  const qmp = await Qmp.connect(monitor, () => 'it has ended');
  const status = await qmp.execute('query-status');
  await qmp.execute('quit');
  qmp.close();
  return status;
}

/** What is left in /tmp is left in the test's own folder. */
const environment = () => ({ ...process.env, TMPDIR: folder });
const left = () => readdirSync(folder).filter((name) => name.startsWith('switchover-waiting-'));
const move = (address: string, ...more: readonly string[]) =>
  switchover(
    ...['migrate', '--qmp', machine.ours, '--to', address, ...more, '--json', '-'],
    ...slowly.flatMap((setting) => ['--set', setting]),
  );

describe('receive --exec', () => {
  test('takes in a machine, ends, and leaves its QEMU running with a monitor', async () => {
    machine = await OthersMachine.start(qemu10);
    const { said, address } = await receive();
    const { stdout } = await move(address);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await exited).toEqual([0, null]);
    expect(await quit(monitorIn(said))).toMatchObject({ running: true });
  });

  test('ends its QEMU if nothing comes, and leaves nothing', async () => {
    await receive();
    expect(left()).toHaveLength(1);
    receiver!.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(left()).toEqual([]);
  });

  test('killed, it leaves a QEMU that the next one ends', async () => {
    await receive();
    await killed(receiver!);
    const [before] = left();
    await receive();
    expect(left()).toHaveLength(1);
    expect(left()).not.toContain(before);
  });

  test('after a move that failed, another QEMU waits for the next', async () => {
    machine = await OthersMachine.start(qemu10);
    const { said, address } = await receive();
    const ends = ['--qmp', machine.ours, '--to', address];
    const settings = slowly.flatMap((setting) => ['--set', setting]);
    const mover = spawn(process.execPath, [main, 'migrate', ...ends, ...settings], { cwd: root });
    await once(mover.stdout, 'data');
    await sleep(1_000);
    await killed(mover);
    while (!said.join('').includes('the other end has closed the connection')) await sleep(20);
    const { stdout } = await move(address);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'completed', owner: 'destination' });
    expect(await exited).toEqual([0, null]);
    expect(await quit(monitorIn(said))).toMatchObject({ running: true });
  });
});

describe('a command that starts no QEMU is told in one line', () => {
  test.each([
    ['not-there-at-all', /^switchover: --exec: it has ended \(127\): .*not-there-at-all: not found\n$/],
    ['echo it does not work >&2; false', /^switchover: --exec: it has ended \(1\): it does not work\n$/],
    ['true', /^switchover: --exec: it has ended \(0\)\n$/],
  ])('%s', async (words, expected) => {
    const started = spawn(process.execPath, [main, 'receive', '--exec', words], {
      ...{ cwd: root, env: environment() },
    });
    let said = '';
    started.stderr.on('data', (text) => {
      said += text;
    });
    const [code] = await once(started, 'close');
    expect(code).toBe(1);
    expect(said).toMatch(expected);
    expect(left()).toEqual([]);
  });

  test('beside --qmp, or with options for other guests', async () => {
    const { code, stderr } = await switchover('receive', '--exec', 'true', '--qmp', 'socket', '--pages', '3');
    expect(code).toBe(2);
    expect(stderr).toContain('--exec: expected either --qmp SOCKET or --exec COMMAND');
    expect(stderr).toContain('--pages: expected nothing beside --qmp and --exec');
  });
});
