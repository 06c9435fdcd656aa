import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inputLimits } from '../../src/core/input-limits.ts';
import { Failure, TooLarge } from '../../src/platform/failure.ts';
import { parseJson } from '../../src/platform/json.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('any JSON is what JSON.parse makes of it, whatever brackets its strings have', () => {
  const text = fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', ']', 'a') });
  fc.assert(
    fc.property(fc.array(fc.dictionary(text, text)), (value) => {
      expect(parseJson(JSON.stringify(value), 'x')).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('text that is no JSON is a failure that says where', () => {
  for (const text of ['', '{', '"', '"\\', ']]]]', 'nonsense', '[1,]']) {
    expect(() => parseJson(text, 'file:3')).toThrow(new Failure('file:3: not JSON'));
  }
});

test('what is nested too deep is refused before it is parsed, though it may have no end', () => {
  expect(() => parseJson(nested(inputLimits.nesting), 'x')).not.toThrow();
  for (const text of [nested(inputLimits.nesting + 1), '['.repeat(1e7), '{"a":'.repeat(1e6)]) {
    const before = process.memoryUsage().heapUsed;
    expect(() => parseJson(text, 'x')).toThrow(new TooLarge('x', 'at most 64 levels of nesting'));
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60e6);
  }
});

test('what has more values than one reads is refused before it is parsed', () => {
  expect(parseJson('[1,[2],{"a":",[{"}]', 'x', 6)).toEqual([1, [2], { a: ',[{' }]);
  expect(() => parseJson('[1,[2],{"a":3}]', 'x', 5)).toThrow(new TooLarge('x', 'at most 5 values'));
  expect(() => parseJson(`[${'{},'.repeat(5e6)}1]`, 'x')).toThrow('x: expected at most 1000000 values');
});
