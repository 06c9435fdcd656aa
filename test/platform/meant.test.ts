import { describe, expect, test } from 'vitest';
import { expected } from '../../src/core/units.ts';
import { meantValue, nearestWord } from '../../src/platform/meant.ts';

test.each([
  ['lur', 'lru'],
  ['LRU', 'lru'],
  ['adress', 'address'],
  ['frequncy', 'frequency'],
  ['quick', undefined],
  ['x', undefined],
])('of the names of orders, %j means %j', (written, meant) => {
  expect(nearestWord(written, ['address', 'lru', 'frequency', 'random'])).toBe(meant);
});

describe('a quantity whose unit is spelt in another way', () => {
  test.each([
    [expected.rate, '200Mbits', '200Mbit/s'],
    [expected.rate, '200 mbit', '200Mbit/s'],
    [expected.rate, '1 Gb', '1Gbit/s'],
    [expected.rate, '10 Gbit/sec', '10Gbit/s'],
    [expected.rate, '100MB', '100MB/s'],
    [expected.rate, '100 MiB/sec', '100MiB/s'],
    [expected.rate, 100, '100Mbit/s'],
    [expected.rate, '1,5 Gbit/s', '1.5Gbit/s'],
    [expected.duration, '500', '500ms'],
    [expected.duration, '500 msec', '500ms'],
    [expected.duration, '2 seconds', '2s'],
    [expected.duration, '1 hour', '1h'],
    [expected.duration, '30 usec', '30us'],
    [expected.size, '4 kilobytes', undefined],
    [expected.size, '64G', '64GiB'],
    [expected.size, '64 gigs', undefined],
    [expected.size, '4,096', '4096'],
    [`${expected.duration} above 0`, '5sec', '5s'],
  ])('%s: %j means %j', (expectation, written, meant) => {
    expect(meantValue(expectation, written)).toBe(meant);
  });
});

test.each([
  ['a whole number from 1 to 1000000', '8k', '8000'],
  ['a whole number from 1 to 1000000', '8,000', '8000'],
  ['a whole number from 1 to 1000000', '8000 pages', '8000'],
  ['a number from 0 to 1', '30%', '0.3'],
  ['checksums or full', 'ful', 'full'],
  ['a program: { kind: classes | zipf, … }', 'class', 'classes'],
  ['a whole number from 1 to 1000000', 'many', undefined],
])('%s: %j means %j', (expectation, written, meant) => {
  expect(meantValue(expectation, written)).toBe(meant);
});
