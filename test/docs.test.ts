import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { handOverPage } from '../diagrams/hand-over-page.ts';
import { inputLimits } from '../src/core/input-limits.ts';
import { formatSize } from '../src/core/units.ts';

const root = resolve(import.meta.dirname, '..');
const textOf = (document: string) => readFileSync(join(root, document), 'utf8');
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(documents)('%s', (document) => {
  test('links to files and headings that exist', () => {
    const broken = linksOf(textOf(document)).filter((link) => {
      const [path, heading] = link.split('#');
      const target = path ? join(dirname(document), path) : document;
      if (!existsSync(join(root, target))) return true;
      return heading !== undefined && !headingsOf(textOf(target)).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  test('names files and folders of this repository that exist', () => {
    expect(pathsOf(textOf(document)).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

test('the documents are found, with their links and paths', () => {
  expect(documents).toContain('docs/decisions/013-one-instant-decides.md');
  expect(linksOf(textOf('README.md'))).toContain('docs/architecture.md');
  expect(pathsOf(textOf('docs/architecture.md'))).toContain('src/core/migration/migrate.ts');
});

test('docs/hand-over.md is what the state tables give', () => {
  expect(textOf('docs/hand-over.md'), 'npm run build:diagrams').toBe(handOverPage());
});

test('docs/input-limits.md lists every limit with its value', () => {
  const listed = [...textOf('docs/input-limits.md').matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)];
  const shown = (name: string, value: number) => (name.endsWith('Bytes') ? formatSize(value) : String(value));
  expect(listed.map(([, name, value]) => [name, value])).toEqual(
    Object.entries(inputLimits).map(([name, value]) => [name, shown(name, value)]),
  );
});

test('decisions are numbered from 001 without a gap, each number once', () => {
  const numbers = readdirSync(join(root, 'docs/decisions')).map((name) => Number(name.slice(0, 3)));
  expect(numbers.sort((one, other) => one - other)).toEqual(numbers.map((_, index) => index + 1));
});

test('docs/architecture.md describes every room of src', () => {
  const described = [...textOf('docs/architecture.md').matchAll(/^\| `src\/(\w+)` \|/gm)].map(
    ([, room]) => room,
  );
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(described.sort()).toEqual(rooms.map(({ name }) => name).sort());
});

/** Those within the repository. */
function linksOf(text: string): string[] {
  const prose = text.replace(/^```.*?^```/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((link) => !/^https?:/.test(link));
}

/** As GitHub makes anchors of them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function pathsOf(text: string): string[] {
  const folders = 'src|test|docs|config|bench|dashboards|diagrams|deploy|examples|traces';
  return [...text.matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g'))].map((match) => match[1]!);
}
