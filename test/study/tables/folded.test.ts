import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { folded, foldedCommand } from '../../../src/study/tables/folded.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', '–', '7'), minLength: 1, maxLength: 9 });
const words = fc.array(word, { minLength: 1, maxLength: 30 });
const width = fc.integer({ min: 1, max: 40 });

describe('text', () => {
  test('is broken at spaces, below where it began, and tables are left as they are', () => {
    expect(folded('  one two three\n│ one two three │', 9)).toBe('  one two\n  three\n│ one two three │');
    expect(folded('as it is')).toBe('as it is');
  });

  test('after a label continues below the text and not below the label', () => {
    expect(folded('  link    one two three', 20)).toBe('  link    one two\n          three');
    expect(folded('  a very long label    one two', 20)).toBe('  a very long label\n  one two');
  });

  test('never loses a word', () => {
    fc.assert(
      fc.property(words, width, (all, most) => {
        const lines = folded(all.join(' '), most).split('\n');
        expect(lines.join(' ')).toBe(all.join(' '));
        for (const line of lines) if (line.includes(' ')) expect(line.length).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('a command', () => {
  test('is as wide as the terminal if its words allow', () => {
    fc.assert(
      fc.property(words, width, (all, most) => {
        const lines = foldedCommand(all.join(' '), most).split('\n');
        for (const line of lines.slice(0, -1)) expect(line.endsWith(' \\')).toBe(true);
        for (const line of lines) if (/\S \S+ \\$/.test(line)) expect(line.length).toBeLessThanOrEqual(most);
      }),
    );
  });
});
