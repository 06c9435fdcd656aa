import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadExperiment } from '../../src/scenario/scenario.ts';
import { scenarioFile } from '../../src/scenario/scenario-file.ts';

test.each([
  '01-first-migration',
  '01-first-migration.yaml',
])('%s is a scenario that comes with the program', (name) => {
  expect(existsSync(scenarioFile(name))).toBe(true);
  expect(loadExperiment(scenarioFile(name)).name).toBe('01-first-migration');
});

test('a file of that name goes first', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  const file = join(folder, '01-first-migration.yaml');
  writeFileSync(file, '');
  expect(scenarioFile(file)).toBe(file);
  // From the root of the project, which is where tests run.
  expect(scenarioFile('package.json')).toBe('package.json');
  rmSync(folder, { recursive: true });
});

test('a path is a path: whoever reads it says that it is not there', () => {
  expect(scenarioFile('./01-first-migration')).toBe('./01-first-migration');
});

test('an unknown name is told the names that there are', () => {
  expect(() => scenarioFile('first')).toThrow(
    /^cannot read first: there is no such file, nor does a scenario of that name come with switchover: 01-first-migration, .*23-vm-cpu$/,
  );
});
