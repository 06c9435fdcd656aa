import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolders } from '../../src/platform/paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('folders', () => {
  test('are made with those above them, and the topmost new one is told', () => {
    expect(makeFolders(join(folder, 'a/b/c'))).toBe(join(folder, 'a'));
    expect(statSync(join(folder, 'a/b/c')).isDirectory()).toBe(true);
    expect(makeFolders(join(folder, 'a/b/c'))).toBeUndefined();
    expect(makeFolders(join(folder, 'a/b/d'))).toBe(join(folder, 'a/b/d'));
  });

  test('that cannot be made are refused, below a file and where the system makes none', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => makeFolders(join(folder, 'file/below'))).toThrow(/EEXIST|ENOTDIR/);
    expect(() => makeFolders('/proc/nope/below')).toThrow(/ENOENT|EACCES|EPERM/);
  });
});
