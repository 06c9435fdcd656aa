import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, switchover } from '../fixtures/command.ts';
import { userProject } from '../fixtures/user-project.ts';

function printedBy(example: string, ...args: string[]): string {
  return execFileSync(process.execPath, [join(root, 'examples', example), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
}

test('a new page order is compared with ours, in one round, in migrations and by the model', () => {
  const printed = printedBy('compare-orders.js');
  expect(printed).toMatch(/^hottest-twentieth: 26\.50 pages, at most 0\.17 more than the best$/m);
  expect(printed).toMatch(/│ hottest-twentieth │ +8 │ 306 /);
  expect(printed).toMatch(
    /^hottest-twentieth: 309 ms by the model\. order hottest-twentieth goes by the heats of pages alone$/m,
  );
});

test('a task set meets its deadlines, and a reservation supplies what it promises', () => {
  const printed = printedBy('task-set.js');
  expect(printed).toMatch(/^video: 250 jobs, 0 late\ncontrol: 400 jobs, 0 late\n/);
  expect(printed).toMatch(/^in any 50 ms: 13 ms, at least 12 promised$/m);
  expect(printed).toMatch(/9 ms true, 10 ms false/);
  expect(printed).toMatch(/so there is no such schedule\n$/);
});

test('a sweep from code leaves a folder that a report can be made of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  try {
    const printed = printedBy('sweep.js', folder);
    expect(printed).toMatch(/^18-a-sweep: 6 cells, 48 runs$/m);
    expect(printed).toMatch(/--use examples\/hottest-twentieth\.js --seed S/);
    expect(await switchover('report', folder)).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['design.json', 'report.html', 'records-1-of-1.ndjson']),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the loop in the README drives a migration by hand', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [[, loop] = [], ...others] = readme.matchAll(/^```js\n([\s\S]*?)^```$/gm);
  expect(others).toEqual([]);
  const folder = userProject();
  writeFileSync(join(folder, 'loop.mjs'), loop!);
  const printed = execFileSync(process.execPath, [join(folder, 'loop.mjs')], { cwd: root, encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect(printed).toMatch(/^completed \d+\.\d+ ms$/m);
});
