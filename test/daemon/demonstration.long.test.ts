import { type ChildProcess, execSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../fixtures/command.ts';
import { same, until } from '../fixtures/until.ts';

beforeAll(() => void execSync('npx tsc -p bench/tsconfig.json', { cwd: root }));

/** The demonstration once it drives, and its daemons. */
async function started(): Promise<{ readonly driver: ChildProcess; readonly daemons: readonly number[] }> {
  const args = ['build/examples/demo-main.js', '0', '0'];
  const driver = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(driver.stdout!), 'line');
  const daemons = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && lives(pid) && commandOf(pid).includes('serve'));
  return { driver, daemons: daemons.filter((pid) => parentOf(pid) === driver.pid) };
}

/** What has ended and is not waited for has no command line any more. */
function lives(pid: number): boolean {
  return commandOf(pid) !== '';
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test.each([
  ['is killed', (driver: ChildProcess) => void driver.kill('SIGKILL')],
  ['has nobody left to tell', (driver: ChildProcess) => void driver.stdout!.destroy()],
])('no daemon of a demonstration outlives a driver that %s', async (_, leave) => {
  const { driver, daemons } = await started();
  expect(daemons).toHaveLength(2);
  leave(driver);
  await until('the daemons have ended', () => daemons.some(lives), same(false), 50_000);
});
