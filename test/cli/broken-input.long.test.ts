import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { switchover } from '../fixtures/command.ts';

/** Files that are not what a command was promised. Each once ended with an internal error, without memory, or never. */
const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
const at = (name: string) => join(folder, name);
const written = (name: string, text: string | Uint8Array) => {
  writeFileSync(at(name), text);
  return at(name);
};
afterAll(() => rmSync(folder, { recursive: true }));

async function refused(...args: string[]): Promise<{ readonly code: number; readonly stderr: string }> {
  const { code, stderr } = await switchover(...args);
  expect(stderr).not.toMatch(/internal error|native stack|^\s+at /m);
  return { code, stderr: stderr.replaceAll(`${folder}/`, '') };
}

describe('run', () => {
  test.each<[string, () => string, string]>([
    ['a file without end', () => '/dev/zero', '/dev/zero: expected at most 8 MiB, found more'],
    [
      'a million YAML keys',
      () => written('keys.yaml', Array.from({ length: 1e6 }, (_, index) => `k${index}: 1`).join('\n')),
      'keys.yaml: expected at most 8 MiB, found more',
    ],
    [
      'an alias of what it is in',
      () => written('cyclic.yaml', 'guest: &g { pages: 2, program: *g }'),
      'cyclic.yaml: expected at most 64 levels of nesting, found more',
    ],
    [
      'a recording of 250 million line ends',
      () => {
        written('bomb.gz', gzipSync(Buffer.alloc(250_000_000, '\n')));
        const program = { kind: 'trace', file: 'bomb.gz' };
        return written(
          'bomb.yaml',
          JSON.stringify({ guest: { pages: 20, program }, link: { rate: '1Mbit/s' } }),
        );
      },
      'bomb.gz: expected at most 64 MiB once unpacked, found more',
    ],
    [
      'windows of a nanosecond for an hour',
      () =>
        written(
          'windows.yaml',
          'guest: { pages: 9, program: { kind: zipf, writesPerSecond: 1 } }\nlink: { rate: 1Mbit/s }\nmigration: { observe: 1h, window: 1ns }',
        ),
      'migration.observe: expected at most 100000 windows, found 3600000000000',
    ],
    [
      'four billion pages',
      () =>
        written(
          'pages.yaml',
          'guest: { pages: 4294967295, program: { kind: zipf, writesPerSecond: 1 } }\nlink: { rate: 1Mbit/s }',
        ),
      'guest.pages: expected a whole number from 2 to 1073741824, found 4294967295',
    ],
  ])('refuses %s, and says which limit it breaks', async (_, file, message) => {
    const { code, stderr } = await refused('run', file());
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('replay', () => {
  let lines: string[];
  beforeAll(async () => {
    const args = ['run', '01-first-migration', '--runs', '1', '--quiet', '--set', 'guest.pages=6500'];
    await switchover(...args, '--trace', at('whole'));
    const all = readFileSync(at('whole'), 'utf8').trimEnd().split('\n');
    lines = all.slice(
      0,
      all.findIndex((line, index) => index > 0 && line.startsWith('{"plan"')),
    );
  });
  const replayed = (name: string, given: readonly string[]) =>
    refused('replay', written(name, given.map((line) => `${line}\n`).join('')));
  const changed = (index: number, change: (line: string) => string) =>
    lines.map((line, at) => (at === index ? change(line) : line));

  test.each<[string, () => readonly string[], RegExp]>([
    ['nothing', () => [], /nothing: no migration in it/],
    ['prose', () => ['hello'], /prose:1: not a line of a trace/],
    ['no-plan', () => lines.slice(1), /a trace begins with a plan/],
    ['cut', () => changed(2, (line) => line.slice(0, 99)), /cut:3: not a line of a trace: not JSON/],
    ['null-plan', () => ['{"plan":null}'], /null-plan:1: not a line of a trace: plan: .*received null/],
    ['empty-plan', () => ['{"plan":{}}'], /empty-plan:1: not a line of a trace: plan.pages/],
    [
      'many-pages',
      () => changed(0, (line) => line.replace(/"pages":\d+/, '"pages":4e9')),
      /many-pages:1: not a line of a trace: plan.pages: .*1073741824/,
    ],
    [
      'words-for-numbers',
      () => changed(0, (line) => line.replace(/"windowNs":\d+/, '"windowNs":"x"')),
      /words-for-numbers:1: not a line of a trace: plan.windowNs/,
    ],
    [
      'no-answer',
      () => changed(1, (line) => line.replace(/"seen":.*/, '"seen":null}')),
      /no-answer:2: not a line of a trace: seen/,
    ],
    [
      'endless-time',
      () => changed(1, (line) => line.replace(/"now":[\d.]+/, '"now":1e999')),
      /endless-time:2: not a line of a trace: seen.now/,
    ],
    ['null-step', () => changed(1, () => '{"step":null,"seen":null}'), /null-step:2: not a line of a trace/],
    ['deep', () => ['['.repeat(1e6)], /deep:1: expected at most 64 levels of nesting/],
  ])('of a trace with %s fails with its line', async (name, given, message) => {
    const { code, stderr } = await replayed(name, given());
    expect(code).toBe(name === 'deep' ? 2 : 1);
    expect(stderr).toMatch(message);
  });

  test('of steps out of order, or with answers that no world gives, is a difference', async () => {
    const swapped = [lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)];
    const backwards = changed(3, (line) => line.replace(/"now":[\d.]+/, '"now":-1'));
    for (const given of [swapped, backwards]) {
      writeFileSync(at('odd'), `${[...given, ...lines].join('\n')}\n`);
      const { code, stdout, stderr } = await switchover('replay', at('odd'));
      expect([code, stderr]).toEqual([1, '']);
      expect(stdout).toMatch(/^migration 1: .*(step \d+ was|violated).*\nmigration 2: .*the same\n$/);
    }
  });

  test('of a file without end, or a folder, ends', async () => {
    expect(await refused('replay', '/dev/zero')).toEqual({
      code: 2,
      stderr: 'switchover: /dev/zero:1: expected a line of at most 64 MiB, found more\n',
    });
    mkdirSync(at('x.ndjson'));
    for (const command of ['replay', 'run', 'order', 'schedule']) {
      const { code, stderr } = await refused(command, at('x.ndjson'));
      expect([code, stderr]).toEqual([1, expect.stringContaining('cannot read x.ndjson')]);
    }
    expect((await refused('report', folder)).stderr).toContain('cannot read x.ndjson');
  });
});
