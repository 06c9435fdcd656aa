import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseRateOrZero,
  parseSize,
} from '../../src/core/units.ts';

describe('parsing', () => {
  test.each([
    ['40ms', 40_000_000],
    ['1us', 1_000],
    ['1µs', 1_000],
    ['7ns', 7],
    ['2min', 120_000_000_000],
    ['1h', 3_600_000_000_000],
    ['1.5s', 1_500_000_000],
    ['.5s', 500_000_000],
    ['1e3ms', 1_000_000_000],
    ['  20 ms ', 20_000_000],
    ['20m', 1_200_000_000_000],
    ['30d', 2_592_000_000_000_000],
    ['720h', 2_592_000_000_000_000],
    ['1h30m', 5_400_000_000_000],
    ['1 h 30 min', 5_400_000_000_000],
    ['1d12h', 129_600_000_000_000],
    ['2m30.5s', 150_500_000_000],
    ['1s1ms1us1ns', 1_001_001_001],
    ['3μs', 3_000],
  ])('a duration is kept in whole nanoseconds: %s', (text, ns) => {
    expect(parseDuration(text)).toBe(ns);
  });

  test('a decimal prefix counts in thousands and a binary one in powers of 1024', () => {
    expect(parseSize('1kB')).toBe(1_000);
    expect(parseSize('1KiB')).toBe(1_024);
    expect(parseSize('3MB')).toBe(3_000_000);
    expect(parseSize('3MiB')).toBe(3 * 1_048_576);
    expect(parseSize('2GB')).toBe(2_000_000_000);
    expect(parseSize('2GiB')).toBe(2_147_483_648);
    expect(parseSize('1TiB')).toBe(1_099_511_627_776);
    expect(parseRate('50Mbit/s')).toBe(6_250_000);
    expect(parseRate('50Mibit/s')).toBe(6_553_600);
    expect(parseRate('8kbit/s')).toBe(1_000);
    expect(parseRate('8Kibit/s')).toBe(1_024);
    expect(parseRate('1Gbit/s')).toBe(125_000_000);
    expect(parseRate('10MB/s')).toBe(10_000_000);
    expect(parseRate('10MiB/s')).toBe(10_485_760);
    expect(parseSize('3TB')).toBe(3_000_000_000_000);
    expect(parseSize('2PB')).toBe(2_000_000_000_000_000);
    expect(parseSize('2PiB')).toBe(2 ** 51);
    expect(parseSize('64Gi')).toBe(2 ** 36);
    expect(parseRate('1TB/s')).toBe(1e12);
    expect(parseRate('1.6Tbit/s')).toBe(200_000_000_000);
  });

  test('a prefix may be in either case; a byte is B, and a bit is b', () => {
    expect(parseSize('4KB')).toBe(4_000);
    expect(parseSize('4kiB')).toBe(4_096);
    for (const text of ['10Gbps', '10gbps', '10Gb/s', '10 Gbit/s', '10gbit/s', '10000Mbps']) {
      expect([text, parseRate(text)]).toEqual([text, 1_250_000_000]);
    }
    for (const text of ['300MB/s', '300MBps', '300mB/s', '300 MB/s', '2400Mbps']) {
      expect([text, parseRate(text)]).toEqual([text, 300_000_000]);
    }
    expect(parseRate('1Gibps')).toBe(2 ** 27);
    expect(parseSize('64gb')).toBeUndefined();
  });

  test('a bit is an eighth of a byte, and a bit a second is never mistaken for a byte a second', () => {
    expect(parseRate('800bit/s')).toBe(100);
    expect(parseRate('800B/s')).toBe(800);
  });

  test('a bare 0 is a time and a size; any other bare number is a number of bytes, and no time', () => {
    expect(parseDuration('0')).toBe(0);
    expect(parseSize('0')).toBe(0);
    expect(parseSize('4096')).toBe(4_096);
    expect(parseDuration('40')).toBeUndefined();
    expect(parseRate('100')).toBeUndefined();
  });

  test('a rate is at least one byte a second', () => {
    expect(parseRate('0')).toBeUndefined();
    expect(parseRate('0Mbit/s')).toBeUndefined();
    expect(parseRate('1bit/s')).toBeUndefined();
    expect(parseRate('8bit/s')).toBe(1);
  });

  test('where nothing is a rate too, it has a unit or none', () => {
    for (const text of ['0', '0bit/s', '0 Gbps', ' 0.0MB/s'])
      expect([text, parseRateOrZero(text)]).toEqual([text, 0]);
    for (const text of ['', '00', '0s', '0B', '4bit/s', '-0bit/s'])
      expect(parseRateOrZero(text)).toBeUndefined();
    expect(parseRateOrZero('8bit/s')).toBe(1);
  });

  test('a rate below one byte a second is none, not one that is rounded up', () => {
    expect(parseRate('4bit/s')).toBeUndefined();
  });

  test.each([
    '',
    ' ',
    'ms',
    'fast',
    '-1ms',
    '+1ms',
    '1 0ms',
    '1,5ms',
    '1.ms',
    '1..5ms',
    '1e-3s',
    '0x10ms',
    'Infinityms',
    'NaNs',
    '1sec',
    '1S',
    '1M',
    '1s1h',
    '1h1h',
    '1ms1s',
    '1h30',
    '30 1h',
    'h',
    '.',
    '0 0',
    '1constructor',
    '1toString',
    '1__proto__',
    '1MB',
    '1Mbit/s',
  ])('nonsense is no duration: %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    '',
    '-4KiB',
    '4kib',
    '4Kib',
    '4G',
    '4K',
    '4Gb',
    '4iB',
    '4 KiB B',
    '4ms',
    '4MB/s',
    '1hasOwnProperty',
    'Infinity',
    'NaN',
  ])('nonsense is no size: %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  test.each([
    '',
    '-4Mbit/s',
    '4Mbit',
    '4MBit/s',
    '4MB/S',
    '4G',
    '4Gbit/ps',
    '4ms/s',
    '4Mbit / s',
    '4MB',
    '4ms',
    '/s',
    '1valueOf',
  ])('nonsense is no rate: %j', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  test('a number too large to be exact is refused, an infinite one too', () => {
    expect(parseSize('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseSize('9007199254740992')).toBeUndefined();
    expect(parseDuration('2501h')).toBe(2_501 * 3_600 * 1e9);
    expect(parseDuration('2502h')).toBeUndefined();
    expect(parseSize('1e400B')).toBeUndefined();
    expect(parseSize('0e400B')).toBeUndefined();
    expect(parseRate('1e30Gbit/s')).toBeUndefined();
  });

  test('every whole number of every unit is exact', () => {
    const nanos = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 60e9, m: 60e9, h: 3600e9, d: 86_400e9 };
    const bytes = {
      ...{ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 },
      ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50 },
    };
    const count = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(count, fc.constantFrom(...Object.entries(nanos)), (n, [unit, ns]) => {
        expect(parseDuration(`${n}${unit}`)).toBe(n * ns);
        expect(parseDuration(`${n} ${unit}`)).toBe(n * ns);
      }),
    );
    const ofBits = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9, Tbit: 1e12, Gibit: 2 ** 30 };
    fc.assert(
      fc.property(count, fc.constantFrom(...Object.entries(ofBits)), (n, [unit, factor]) => {
        expect(parseRate(`${8 * n}${unit}/s`)).toBe(n * factor);
        expect(parseRate(`${8 * n}${unit.replace('it', '')}ps`)).toBe(n * factor);
      }),
    );
    fc.assert(
      fc.property(count, fc.constantFrom(...Object.entries(bytes)), (n, [unit, factor]) => {
        expect(parseSize(`${n}${unit}`)).toBe(n * factor);
        expect(parseRate(`${n}${unit}/s`)).toBe(n * factor);
      }),
    );
  });

  test('the parts of a time add up, each unit once and the longest first', () => {
    const part = fc.option(fc.integer({ min: 0, max: 90 }));
    fc.assert(
      fc.property(part, part, part, part, part, fc.constantFrom('', ' '), (d, h, m, s, ms, gap) => {
        const parts = [
          [d, 'd', 86_400e9],
          [h, 'h', 3600e9],
          [m, 'm', 60e9],
          [s, 's', 1e9],
          [ms, 'ms', 1e6],
        ] as const;
        const given = parts.filter(([count]) => count !== null);
        fc.pre(given.length > 0);
        const ns = given.reduce((sum, [count, , unitNs]) => sum + count! * unitNs, 0);
        const text = given.map(([count, unit]) => `${count}${unit}`);
        expect(parseDuration(text.join(gap))).toBe(ns);
        if (given.length > 1) expect(parseDuration(text.toReversed().join(gap))).toBeUndefined();
      }),
    );
  });

  test('a text of a hundred thousand characters is refused as fast as it is read', () => {
    const before = process.cpuUsage();
    for (const text of [' '.repeat(100_000), '1'.repeat(100_000), `1s${' '.repeat(100_000)}x`]) {
      for (const parse of [parseDuration, parseSize, parseRate]) expect(parse(text)).toBeUndefined();
    }
    expect(process.cpuUsage(before).user).toBeLessThan(1e6);
  });

  test('whatever the text, the answer is undefined or a whole number that a double holds exactly', () => {
    const pieces = fc.array(
      fc.constantFrom('0', '1', '9', '.', 'e', ' ', 'B', 'KiB', 's', 'ms', 'bit/s', '-'),
      {
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        for (const parse of [parseDuration, parseSize, parseRate]) {
          const value = parse(parts.join(''));
          if (value !== undefined) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('formatting', () => {
  test('a person reads three significant digits', () => {
    expect(formatDuration(281_300_000)).toBe('281 ms');
    expect(formatDuration(4_259_840_000)).toBe('4.26 s');
    expect(formatDuration(17_000)).toBe('17 µs');
    expect(formatDuration(999)).toBe('999 ns');
    expect(formatDuration(0)).toBe('0 ns');
    expect(formatDuration(-2_500_000)).toBe('-2.5 ms');
    expect(formatDuration(12_800e9)).toBe('12800 s');
    expect(formatDuration(2_592_000e9)).toBe('30 d');
    expect(formatDuration(129_600e9)).toBe('1 d 12 h');
    expect(formatSize(6_500 * 4_096)).toBe('25.4 MiB');
    expect(formatSize(1_023)).toBe('1023 B');
    expect(formatSize(1_024)).toBe('1 KiB');
    expect(formatRate(6_250_000)).toBe('50 Mbit/s');
    expect(formatRate(125_000_000)).toBe('1 Gbit/s');
  });

  test('in the next unit where rounding reaches it', () => {
    expect(formatDuration(999_999_999)).toBe('1 s');
    expect(formatDuration(999_600)).toBe('1 ms');
    expect(formatRate(124_999_999)).toBe('1 Gbit/s');
    expect(formatSize(1_024 ** 2 - 1)).toBe('1 MiB');
  });

  test('what is formatted can be parsed again, and is the same to three digits', () => {
    const halfHourNs = 1800e9;
    const near = (parsed: number | undefined, value: number, least = 0.5) => {
      expect(parsed).toBeDefined();
      expect(Math.abs(parsed! - value)).toBeLessThanOrEqual(Math.max(0.005 * value + 0.5, least));
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9e15 }), (ns) =>
        near(parseDuration(formatDuration(ns)), ns, ns > 23 * 2 * halfHourNs ? halfHourNs : 0),
      ),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 40, noNaN: true }), (exponent) => {
        const bytes = Math.floor(2 ** exponent);
        near(parseSize(formatSize(bytes)), bytes);
        near(parseRate(formatRate(bytes)), bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what needs no more than three digits comes back exactly', () => {
    const unit = fc.constantFrom('ns', 'µs', 'ms', 's');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), unit, (n, name) => {
        expect(formatDuration(parseDuration(`${n} ${name}`)!)).toBe(`${n} ${name}`);
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999 }),
        fc.constantFrom('kbit/s', 'Mbit/s', 'Gbit/s'),
        (n, name) => {
          expect(formatRate(parseRate(`${n} ${name}`)!)).toBe(`${n} ${name}`);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999 }),
        fc.constantFrom('B', 'KiB', 'MiB', 'GiB', 'TiB'),
        (n, name) => {
          expect(formatSize(parseSize(`${n} ${name}`)!)).toBe(`${n} ${name}`);
        },
      ),
    );
  });
});
