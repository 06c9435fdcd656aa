import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main, root } from '../fixtures/command.ts';
import { until } from '../fixtures/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-sigterm-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('SIGTERM ends a task of a job array between two runs; it has written runs of its part, and leaves no lock', async () => {
  const array = { SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_MAX: '80', SLURM_ARRAY_TASK_STEP: '10' };
  const task = { ...array, SLURM_ARRAY_TASK_ID: '20', SLURM_ARRAY_TASK_COUNT: '8' };
  const args = ['sweep', '03-page-orders', '--out', folder, '--runs', '100000', '--shard', 'auto', '--quiet'];
  const child = spawn(process.execPath, [main, ...args], {
    ...{ cwd: root, env: { ...process.env, ...task }, stdio: 'ignore' },
  });
  const ended = once(child, 'exit');
  const records = join(folder, 'records-2-of-8.ndjson');
  const bytes = () => (existsSync(records) ? statSync(records).size : 0);
  await until('it writes records', bytes, (written) => written > 0, 60_000);
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);

  const left = ['design.json', 'environments-2-of-8.json', 'records-2-of-8.ndjson'];
  expect(readdirSync(folder).sort()).toEqual(left);
  const text = readFileSync(records, 'utf8');
  expect(text.endsWith('}\n')).toBe(true);
  for (const line of text.trimEnd().split('\n')) {
    const { index, repetition } = JSON.parse(line).cell;
    expect((index * 100_000 + repetition - 1) % 8).toBe(1);
  }
});
