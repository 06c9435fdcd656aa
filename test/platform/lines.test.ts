import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { Failure, TooLarge } from '../../src/platform/failure.ts';
import { linesOf } from '../../src/platform/lines.ts';
import { readBytes, readText } from '../../src/platform/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
const file = join(folder, 'lines');
afterAll(() => rmSync(folder, { recursive: true }));

const read = (most: number) => [...linesOf(file, most)];

test('lines are those of the text, wherever a chunk of the file ends', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.nat(2 ** 21).map((length) => 'ü'.repeat(length)),
  );
  fc.assert(
    fc.property(
      fc.array(
        line.map((text) => text.replaceAll('\n', '')),
        { maxLength: 6 },
      ),
      (lines) => {
        const text = lines.map((one) => `${one}\n`).join('');
        writeFileSync(file, `${text}torn`);
        const found = read(2 ** 23);
        expect(found.map(({ text }) => text)).toEqual([...lines, 'torn']);
        expect(found.at(-2)?.endsAt ?? 0).toBe(Buffer.byteLength(text));
        expect(found.at(-1)!.endsAt).toBeUndefined();
      },
    ),
    { numRuns: 30 },
  );
});

test('a line that is longer than allowed is refused with its number, and not read to its end', () => {
  writeFileSync(file, `short\n${'x'.repeat(3_000_000)}`);
  expect(() => read(1_000_000)).toThrow(new TooLarge(`${file}:2`, 'a line of at most 977 KiB'));
  expect(() => [...linesOf('/dev/zero', 4_194_304)]).toThrow(
    '/dev/zero:1: expected a line of at most 4 MiB, found more',
  );
});

test('a file without end is refused once more has come than is read of a file', () => {
  expect(() => readText('/dev/zero')).toThrow(new TooLarge('/dev/zero', 'at most 8 MiB'));
  writeFileSync(file, Buffer.alloc(1_025));
  expect(() => readBytes(file, 1_024)).toThrow('expected at most 1 KiB, found more');
  expect(readBytes(file, 1_025)).toEqual(Buffer.alloc(1_025));
});

test('a folder, and a file that is not there, are failures', () => {
  for (const name of [folder, join(folder, 'none')]) {
    expect(() => readText(name)).toThrow(Failure);
    expect(() => [...linesOf(name, 10)]).toThrow(`cannot read ${name}`);
  }
});
