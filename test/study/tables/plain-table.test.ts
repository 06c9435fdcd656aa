import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastWidth, plainTable } from '../../../src/study/tables/plain-table.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', '–', '7'), minLength: 1, maxLength: 9 });
const cell = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
const table = fc.integer({ min: 1, max: 5 }).chain((columns) => {
  const row = fc.array(cell, { minLength: columns, maxLength: columns });
  return fc.record({ head: row, rows: fc.array(row, { minLength: 1, maxLength: 4 }) });
});

describe('a table', () => {
  test('is as narrow as it must be if its words allow, and loses none of them', () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 10, max: 120 }), ({ head, rows }, asked) => {
        const width = Math.max(asked, leastWidth(head, rows));
        const text = plainTable(head, rows, 0, width);
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
        const found = (all: string) => all.match(/[ab–7]+/g)!.length;
        expect(found(text)).toBe(found([head, ...rows].flat().join(' ')));
      }),
      { numRuns: 200 },
    );
  });

  test('is as wide as it comes where nobody asks', () => {
    const [line] = plainTable(['one', 'two'], [['a b c', 'd']]).split('\n');
    expect(line).toBe('┌───────┬─────┐');
  });
});
