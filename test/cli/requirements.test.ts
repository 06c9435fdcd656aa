import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-require-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  const options = ['run', '01-first-migration', '--quiet', '--runs', '8', ...args];
  return spawnSync(process.execPath, [main, ...options], { encoding: 'utf8' });
}

test('what a run must keep is judged row by row: exit code 3 if one does not, and a summary for programs', () => {
  const summary = join(folder, 'summary.json');
  const { status, stdout } = run(
    '--require',
    'p95(downtime)<150ms',
    '--require',
    'failures<50%',
    '--summary',
    summary,
  );
  expect(status).toBe(3);
  expect(stdout).toMatch(/│ downtime p95 <150ms │ .* │ +missed │/);
  const { areKept, cells } = JSON.parse(readFileSync(summary, 'utf8'));
  expect(areKept).toBe(false);
  expect(cells).toHaveLength(6);
  for (const { runs, completed, downtimeNs, required } of cells) {
    expect([runs, completed, required.length]).toEqual([8, 8, 2]);
    expect(downtimeNs.median).toBeLessThanOrEqual(downtimeNs.p95);
    const [{ verdict, value, limit }] = required;
    expect(verdict.includes('kept')).toBe(value < limit);
  }
});

test('what is kept ends with 0, and what is no threshold is refused', () => {
  expect(run('--require', 'downtime max < 10s').status).toBe(0);
  const { status, stderr } = run('--require', 'p95(downtme)<1s');
  expect([status, stderr]).toEqual([2, expect.stringContaining('--require: expected a threshold')]);
});
