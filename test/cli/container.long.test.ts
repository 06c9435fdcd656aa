import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { kill } from '../../src/platform/child-process.ts';
import { main, switchover } from '../fixtures/command.ts';
import { ControlGroup, withoutControlGroups } from '../fixtures/control-group.ts';

const node = [process.execPath, main] as const;
const folder = mkdtempSync(join(tmpdir(), 'switchover-container-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run of a guest of so many pages of 1 MiB. */
function guestOf(pages: number, reservation = 'none'): readonly string[] {
  const file = join(folder, `${pages}.yaml`);
  writeFileSync(
    file,
    `guest:
  pages: ${pages}
  pageSize: 1MiB
  program: { kind: classes, classes: [{ pages: ${pages}, writesPerSecond: 0.1 }] }
  reservation: ${reservation}
link: { rate: 1Gbit/s }
cpu: { scheduler: cbs-hard }
`,
  );
  return ['run', file, '--world', 'threads', '--quiet'];
}

const groups: ControlGroup[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  for (const group of groups.splice(0)) group.remove();
});

function limited(kind: 'memory' | 'cpu', limit: number): ControlGroup {
  const group = new ControlGroup(kind, limit);
  groups.push(group);
  return group;
}

/** Runs a command to its end. */
function run([program, args]: [string, string[]]) {
  return spawnSync(program, args, { encoding: 'utf8' });
}

describe.skipIf(withoutControlGroups)('in a container', () => {
  test('a destination refuses a guest that it has no memory for, with the figures, and lives on', async () => {
    const group = limited('memory', 120 * 2 ** 20);
    const [program, args] = group.within(...node, 'receive');
    const receiver = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(receiver);
    const [line] = await once(receiver.stdout, 'data');
    const to = ['--to', /listening on (\S+)/.exec(String(line))![1]!];
    const refused = await switchover(...guestOf(64), ...to);
    expect(refused.stdout + refused.stderr).toContain(
      'not enough memory for a guest of 64 MiB: guests may have 60 MiB of 120 MiB',
    );
    expect(refused.stdout + refused.stderr).toContain(group.limitFile);
    expect((await switchover(...guestOf(4), ...to)).code).toBe(0);
    expect(receiver.exitCode).toBeNull();
  });

  test('a run refuses guests that have no room at both ends before it starts them', () => {
    const group = limited('memory', 400 * 2 ** 20);
    const { status, stderr } = run(group.within(...node, ...guestOf(240)));
    expect(stderr).toContain('not enough memory for 2 copies of the guests of 480 MiB');
    expect(stderr).toContain(group.limitFile);
    expect(status).toBe(1);
  });

  test('reservations of more time than the container gets are refused', () => {
    const group = limited('cpu', 50_000);
    const { status, stderr } = run(group.within(...node, ...guestOf(4, '{ budget: 8ms, period: 10ms }')));
    expect(stderr).toContain('all reservations together: 0.80 of 0.5 processors');
    expect(status).toBe(2);
  });
});

test('a limit of addresses is looked at before memory is allocated', () => {
  const script = 'ulimit -v 50000000 && exec "$@"';
  const { status, stderr } = run(['sh', ['-c', script, 'sh', ...node, ...guestOf(48_000)]]);
  expect(stderr).toMatch(
    /not enough memory for 2 copies of the guests of 93\.8 GiB: .*\((ulimit -v|the machine)\)/,
  );
  expect(status).toBe(1);
});
