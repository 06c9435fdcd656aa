import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { examplesOf, printedBy } from '../../reference/examples.ts';
import { faces } from '../../reference/faces.ts';
import { referencePages } from '../../reference/pages.ts';
import { root } from '../fixtures/command.ts';
import { userProject } from '../fixtures/user-project.ts';

test('the pages of the reference are as fresh as the docstrings; if not, npm run build:reference', () => {
  const pages = referencePages(root);
  const committed = readdirSync(join(root, 'docs/reference')).map((name) => `docs/reference/${name}`);
  expect(committed.sort()).toEqual([...pages.keys()].sort());
  for (const [path, text] of pages) expect(readFileSync(join(root, path), 'utf8'), path).toBe(text);
});

const examples = faces.flatMap((face) => examplesOf(root, face));

describe('the example of', () => {
  let printed: readonly string[][];
  beforeAll(() => {
    const folder = userProject();
    const files = examples.map(({ code }, index) => {
      const file = join(folder, `${index}.mjs`);
      writeFileSync(file, code);
      return file;
    });
    const runner = join(import.meta.dirname, 'run-examples.mjs');
    const output = execFileSync(process.execPath, [runner, ...files], { cwd: root, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    printed = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  });

  test.each(
    examples.map((example, index) => [example.names.join(', '), index] as const),
  )('%s prints what it says', (_, index) => {
    const said = printedBy(examples[index]!);
    expect(said.length).toBeGreaterThan(0);
    expect(printed[index]).toEqual(said);
  });
});
