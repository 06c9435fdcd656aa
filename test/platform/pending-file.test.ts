import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PendingFile, writeWhole } from '../../src/platform/pending-file.ts';
import { writeText } from '../../src/platform/text-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const textOf = (name: string) => readFileSync(at(name), 'utf8');

describe('a pending file', () => {
  test('is there whole or not at all', () => {
    const dropped = new PendingFile(at('r.gz'));
    dropped.write('half of');
    expect(readdirSync(folder).length).toBe(1);
    dropped.drop();
    expect(readdirSync(folder)).toEqual([]);
    const kept = new PendingFile(at('r.gz'));
    kept.write(Buffer.from('all '));
    kept.write('of it');
    kept.keep();
    expect(readdirSync(folder)).toEqual(['r.gz']);
    expect(textOf('r.gz')).toBe('all of it');
  });

  test('leaves what was there until it takes its place, and has its mode and owner then', () => {
    writeFileSync(at('old'), 'old');
    chmodSync(at('old'), 0o640);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(at('old'), 1234, 1234);
    const pending = new PendingFile(at('old'));
    pending.write('new');
    expect(textOf('old')).toBe('old');
    pending.keep();
    expect(textOf('old')).toBe('new');
    expect(statSync(at('old')).mode & 0o777).toBe(0o640);
    if (isRoot) expect(statSync(at('old')).uid).toBe(1234);
  });

  test('is refused at once where it could not take its place', () => {
    mkdirSync(at('folder'));
    expect(() => new PendingFile(at('folder'))).toThrow(`cannot write ${at('folder')}: it is a folder`);
    expect(() => new PendingFile(at('none/file'))).toThrow(/cannot write .*none\/file: ENOENT/);
    expect(() => new PendingFile('/proc/self/comm')).toThrow(/cannot write \/proc\/self\/comm: /);
    symlinkSync('loop', at('loop'));
    expect(() => new PendingFile(at('loop'))).toThrow(/cannot write .*loop: ELOOP/);
    expect(readdirSync(folder).sort()).toEqual(['folder', 'loop']);
  });

  test('goes into a pipe that is there already, which stays one', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    symlinkSync('pipe', at('link'));
    for (const name of ['pipe', 'link']) {
      const reader = spawn('cat', [at('pipe')]);
      const heard: Buffer[] = [];
      reader.stdout.on('data', (chunk: Buffer) => heard.push(chunk));
      writeText(at(name), 'a text');
      await once(reader, 'close');
      expect(Buffer.concat(heard).toString()).toBe('a text');
    }
    expect(statSync(at('pipe')).isFIFO()).toBe(true);
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
  });

  test('goes to devices, which stay what they are, and says so if they take nothing', () => {
    writeText('/dev/null', 'a text');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(() => writeText('/dev/full', 'a text')).toThrow('cannot write /dev/full: ENOSPC');
    expect(readdirSync('/dev').filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('replaces what a symbolic link leads to, there or not yet, and never the link', () => {
    mkdirSync(at('below'));
    writeFileSync(at('below/file'), 'old');
    symlinkSync('below', at('folder'));
    symlinkSync('file', at('below/link'));
    symlinkSync('../new', at('below/dangling'));
    writeText(at('folder/link'), 'one');
    writeText(at('folder/dangling'), 'two');
    expect([textOf('below/file'), textOf('new')]).toEqual(['one', 'two']);
    expect(readdirSync(at('below')).sort()).toEqual(['dangling', 'file', 'link']);
    expect(lstatSync(at('below/link')).isSymbolicLink()).toBe(true);
  });

  test('of several, none takes its place unless all can', () => {
    writeFileSync(at('one'), 'old');
    const write = (pending: PendingFile) => pending.write('new');
    const files = [at('one'), '/dev/full'].map((file) => [file, write] as const);
    expect(() => writeWhole(files)).toThrow('cannot write /dev/full: ENOSPC');
    expect(readdirSync(folder)).toEqual(['one']);
    expect(textOf('one')).toBe('old');
  });
});
