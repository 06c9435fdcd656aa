import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMaps, presentStretches } from '../../src/observe/address-space.ts';

describe('an address space', () => {
  test('is what /proc/PID/maps lists', () => {
    const text = [
      '55d0c8a00000-55d0c8a02000 r--p 00000000 fe:00 1050 /usr/bin/a program',
      '55d0c8a02000-55d0c8a05000 rw-p 00002000 fe:00 1050                       /usr/bin/a program',
      '7ffc0cbd8000-7ffc0cbf9000 -wxs 00000000 00:00 0 ',
      'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]',
      '',
    ].join('\n');
    expect(parseMaps(text)).toEqual([
      { start: 0x55d0c8a00000, end: 0x55d0c8a02000, writable: false, name: '/usr/bin/a program' },
      { start: 0x55d0c8a02000, end: 0x55d0c8a05000, writable: true, name: '/usr/bin/a program' },
      { start: 0x7ffc0cbd8000, end: 0x7ffc0cbf9000, writable: true, name: '' },
      { start: 0xffffffffff600000, end: 0xffffffffff601000, writable: false, name: '[vsyscall]' },
    ]);
  });

  test.skipIf(process.platform !== 'linux')('has no line that is not understood', () => {
    const text = readFileSync('/proc/self/maps', 'utf8');
    expect(parseMaps(text).length).toBe(text.trimEnd().split('\n').length);
  });

  test('has in memory what bit 63 of a pagemap entry says, whatever the other bits are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))),
        (entries) => {
          const bytes = BigUint64Array.from(entries, ([present, rest]) => rest | (present ? 2n ** 63n : 0n));
          const stretches = [...presentStretches(new Uint8Array(bytes.buffer), 1_000)];
          const pages = stretches.flatMap(({ firstPage, pages }) =>
            Array.from({ length: pages }, (_, i) => firstPage + i),
          );
          expect(pages).toEqual(entries.flatMap(([present], i) => (present ? [1_000 + i] : [])));
          const gaps = stretches
            .slice(1)
            .map(({ firstPage }, i) => firstPage - stretches[i]!.firstPage - stretches[i]!.pages);
          expect(gaps.every((gap) => gap > 0)).toBe(true);
        },
      ),
    );
  });
});
