import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { BaselineCopy } from '../../src/observe/baseline-copy.ts';
import { FileMemory } from '../../src/observe/file-memory.ts';
import { Failure } from '../../src/platform/failure.ts';

const PAGES = 200;
const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
const ram = join(folder, 'ram');
const lots = 2 ** 30;

afterAll(() => rmSync(folder, { recursive: true }));

describe('memory in a file', () => {
  test('has exactly those pages changed that were written with other bytes, each once', () => {
    writeFileSync(ram, Buffer.alloc(PAGES * 4096));
    const memory = new FileMemory(ram);
    const file = openSync(ram, 'r+');
    const baseline = new BaselineCopy(memory, lots);
    expect(baseline.scan()).toEqual(Uint32Array.from({ length: PAGES }, (_, page) => page));
    let turn = 0;
    const writes = fc.array(fc.tuple(fc.nat({ max: PAGES - 1 }), fc.nat({ max: 4092 })), { maxLength: 40 });
    fc.assert(
      fc.property(writes, (writes) => {
        turn++;
        for (const [page, offset] of writes)
          writeSync(file, Buffer.from([turn, turn >> 8, turn, 1]), 0, 4, page * 4096 + offset);
        const written = [...new Set(writes.map(([page]) => page))].sort((one, other) => one - other);
        expect([...baseline.scan()].map((place) => baseline.pageAt(place))).toEqual(written);
        expect(baseline.scan().length).toBe(0);
      }),
    );
    closeSync(file);
    memory.close();
  });

  test('that changes its size is no machine’s any more', () => {
    writeFileSync(ram, Buffer.alloc(8 * 4096));
    for (const pages of [7, 9, 0]) {
      truncateSync(ram, 8 * 4096);
      const memory = new FileMemory(ram);
      const baseline = new BaselineCopy(memory, lots);
      baseline.scan();
      truncateSync(ram, pages * 4096);
      expect(() => baseline.scan()).toThrow(/ram changed its size from 32 KiB to/);
      memory.close();
    }
  });

  test.each<[string, () => string, string]>([
    ['that is not there', () => join(folder, 'none'), 'cannot read'],
    ['that is a folder', () => folder, 'not a file'],
    ['that is empty', () => written('empty', 0), 'the file is empty'],
    [
      'of half a page too much',
      () => written('odd', 6144),
      '6144 bytes are not a whole number of pages of 4096 bytes',
    ],
  ])('%s is refused', (_, file, message) => {
    expect(() => new FileMemory(file())).toThrow(Failure);
    expect(() => new FileMemory(file())).toThrow(message);
  });

  test('of which no copy fits is refused before any of it is read', () => {
    const memory = new FileMemory(written('large', 10 * 4096));
    expect(() => new BaselineCopy(memory, 9 * 4096).scan()).toThrow(/has 40 KiB in memory; .* 36 KiB/);
    expect(new BaselineCopy(memory, 10 * 4096).scan().length).toBe(10);
    memory.close();
  });
});

function written(name: string, bytes: number): string {
  const file = join(folder, name);
  writeFileSync(file, Buffer.alloc(bytes));
  return file;
}
