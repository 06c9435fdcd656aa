import { expect, test } from 'vitest';
import { TooLarge } from '../../src/platform/failure.ts';
import { UsageError } from '../../src/platform/problem.ts';
import { parseYaml } from '../../src/scenario/yaml-file.ts';

const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}: 1\n`).join('');
const told = (text: string) => {
  try {
    parseYaml(text, 'file');
  } catch (cause) {
    expect(cause instanceof UsageError || cause instanceof TooLarge).toBe(true);
    return (cause as Error).message;
  }
  return 'taken';
};

test('JSON is read as JSON, however long its lists are', () => {
  const list = Array.from({ length: 200_000 }, (_, index) => index / 7);
  expect(parseYaml(JSON.stringify({ list }), 'file')).toEqual({ list });
});

test('a mapping with as many keys as are read takes a time that grows with their number only', () => {
  const text = keys(14_000);
  expect(Object.keys(parseYaml(text, 'file') as object)).toHaveLength(14_000);
});

test.each([
  ['a million keys', keys(1_000_000), 'file: expected YAML of at most 262144 characters, found more'],
  ['many marks', '- 1\n'.repeat(40_000), 'file: expected YAML of at most 100000 words and marks, found more'],
  ['an alias of what it is in', 'a: &a [*a]', 'file: expected at most 64 levels of nesting, found more'],
  ['lists in lists', '['.repeat(100_000), 'file: expected at most 64 levels of nesting, found more'],
  ['lists in lists, not as in JSON', `a: ${'['.repeat(9_000)}`, 'more than 64 levels of nesting'],
  ['mappings in mappings', '? '.repeat(20_000), 'more than 64 levels of nesting'],
  ['an alias of many aliases', `${bomb()}`, 'Excessive alias count'],
  ['a key twice', 'a: 1\nb: 2\na: 3', 'file: expected YAML, found the key a twice\n  file:3:1\n    a: 3'],
])('%s: refused with the limit or the mistake', (_, text, message) => {
  expect(told(text)).toContain(message);
});

test('of thousands of mistakes the first twenty are told', () => {
  expect(told('a: 1\n'.repeat(10_000)).match(/^file: /gm)).toHaveLength(20);
});

/** Ten lines that would come to a billion words. */
function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, index) => {
    const inner = index === 0 ? '1' : `*a${index - 1}`;
    return `a${index}: &a${index} [${Array(10).fill(inner).join(', ')}]`;
  });
  return lines.join('\n');
}
