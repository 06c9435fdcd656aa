import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LineFile } from '../../src/platform/line-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  file = join(folder, 'lines');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a file of lines', () => {
  test('begins anew, or behind what is whole of it', () => {
    writeFileSync(file, 'one\ntwo\nthr');
    const more = new LineFile(file, { wholeBytes: 8 });
    more.append('three\n');
    more.close();
    more.close();
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\nthree\n');
    new LineFile(file).close();
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  test('that cannot be written is refused by its name', () => {
    expect(() => new LineFile(join(folder, 'none/lines'))).toThrow(/cannot write .*none\/lines: ENOENT/);
    expect(() => new LineFile(folder)).toThrow(/cannot write .*: EISDIR/);
  });

  test('is a device where one is there, which says so if it takes nothing', () => {
    const nothing = new LineFile('/dev/null');
    nothing.append('a line\n');
    nothing.close();
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    const full = new LineFile('/dev/full');
    expect(() => full.append('a line\n')).toThrow(/^cannot write \/dev\/full: ENOSPC[^;]*$/);
    full.close();
  });

  test('has no part of what did not fit, and takes what fits', () => {
    // More than so many blocks no file of this process may have; Node.js ignores the signal.
    const script = `
      import { LineFile } from ${JSON.stringify(join(import.meta.dirname, '../../build/src/platform/line-file.js'))};
      const lines = new LineFile(${JSON.stringify(file)}, { ifFull: 'Free some space' });
      process.on('SIGXFSZ', () => {});
      lines.append('a'.repeat(3_000) + '\\n');
      try { lines.append('b'.repeat(3_000) + '\\n'); } catch (cause) { console.log(cause.message); }
      lines.append('c'.repeat(500) + '\\n');
      lines.close();`;
    const args = ['--fsize=4096', process.execPath, '--input-type=module', '-e', script];
    const said = execFileSync('prlimit', args, { encoding: 'utf8' });
    expect(said).toMatch(/^cannot write .*: EFBIG.*; everything before it is complete\. Free some space\n$/);
    expect(readFileSync(file, 'utf8')).toBe(`${'a'.repeat(3_000)}\n${'c'.repeat(500)}\n`);
  });
});
