import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FolderLock } from '../../src/platform/folder-lock.ts';
import { LifeSign } from '../../src/platform/life-sign.ts';
import { Journal } from '../../src/transport/journal.ts';
import { entryText, journalFileName } from '../../src/transport/journal-file.ts';
import { recover } from '../../src/transport/recover.ts';
import { entriesIn, leaveJournal, unprovable } from '../fixtures/journals.ts';

let folder: string;
let here: string;
let there: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-recover-'));
  here = join(folder, 'source');
  there = join(folder, 'destination');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Changes the text of a file. */
function rewrite(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

describe('a damaged journal', () => {
  const damages: [string, (text: string) => string, string][] = [
    ['an entry that is none', (text) => text.replace('"stopped"', '"stepped"'), 'line 2: entry: '],
    [
      'a line that is no JSON',
      (text) => text.replace('{"entry":"ready"', 'entry: ready'),
      'line 3: not JSON',
    ],
    ['a line too many', (text) => text + entryText('ready'), "line 5: 'ready' after 'commit'"],
    [
      'commit, running, ready',
      (text) => text + entryText('running') + entryText('ready'),
      "line 6: 'ready' after 'running'",
    ],
    ['a line too few', (text) => text.replace(/.*"ready".*\n/, ''), "line 3: 'commit' after 'stopped'"],
    ['a first line that cannot be read', (text) => text.replace('begun', 'b\0gun'), 'line 1: '],
    ['nothing', () => '', 'no complete line'],
    [
      'the name of another migration',
      (text) => text.replace(/"migration":"5/, '"migration":"6'),
      'than its file is named after',
    ],
    ['far too much', (text) => text + ' '.repeat(100_000), 'more than 65536 bytes'],
  ];

  test.each(damages)('with %s costs its own guest, by name, and no other', async (_, change, said) => {
    const file = leaveJournal(here, 'source', ['stopped', 'ready', 'commit'], { guest: 'my guest/1' });
    rewrite(file, change);
    const other = leaveJournal(here, 'source', ['stopped'], { guest: 'mail', migration: randomUUID() });
    const { settlements, remarks } = await recover([here]);
    expect(remarks).toHaveLength(1);
    expect(remarks[0]).toContain(`${file} is damaged: `);
    expect(remarks[0]).toContain(said);
    const byGuest = Object.fromEntries(settlements.map((settlement) => [settlement.guest, settlement]));
    expect(byGuest).toMatchObject({
      'my guest/1': { state: 'undecided', owner: 'nobody yet known', done: [] },
      mail: { state: 'decided', owner: 'source', done: [{ end: 'source', entry: 'aborted', file: other }] },
    });
    expect(byGuest['my guest/1']!.found.source).toMatchObject({ file, last: null });
  });

  test('counts as one that is missing: where the other end’s suffices, that decides', async () => {
    rewrite(leaveJournal(here, 'source', ['stopped', 'ready', 'commit']), () => 'gone\n');
    leaveJournal(there, 'destination', ['ready', 'commit']);
    expect((await recover([here, there])).settlements).toMatchObject([
      {
        guest: 'web',
        owner: 'destination',
        state: 'decided',
        done: [{ end: 'destination', entry: 'ended' }],
      },
    ]);
  });

  test('from before files were named after guests: one that never had a line is passed over', async () => {
    const file = leaveJournal(here, 'source', ['stopped']);
    const older = join(here, '5e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11.source.ndjson');
    renameSync(file, older);
    expect((await recover([here])).settlements).toMatchObject([{ guest: 'web', owner: 'source' }]);
    writeFileSync(older, '{"schema":"switch');
    const { settlements, remarks } = await recover([here]);
    expect(settlements).toEqual([]);
    expect(remarks).toEqual([
      `${older}: no complete line, so the migration had not begun; the file is ignored`,
    ]);
  });
});

describe('a process that cannot be asked', () => {
  test('leaves its guest undecided, and is left alone, until it is declared dead', async () => {
    const file = leaveJournal(here, 'source', ['stopped'], { process: unprovable });
    const before = readFileSync(file, 'utf8');
    expect((await recover([here])).settlements).toMatchObject([
      { state: 'undecided', done: [], found: { source: { process: 'unknown', name: unprovable.name } } },
    ]);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await recover([here], [unprovable.name])).settlements).toMatchObject([
      { state: 'decided', owner: 'source', done: [{ entry: 'aborted' }] },
    ]);
  });

  test('may be one of an earlier version, which left a number and no sign', async () => {
    const file = leaveJournal(here, 'source', ['stopped'], { process: unprovable });
    rewrite(file, (text) =>
      text.replace(/"process":\{.*?\}/, '"process":{"host":"a b","pid":1,"started":""}'),
    );
    expect((await recover([here])).settlements).toMatchObject([
      { state: 'undecided', found: { source: { name: 'a_b-1' } } },
    ]);
  });

  test('cannot be declared dead by a name that is not there, nor if it lives', async () => {
    mkdirSync(here);
    const sign = await LifeSign.show(here);
    const { name } = sign.process;
    leaveJournal(here, 'source', ['stopped'], { process: sign.process });
    await expect(recover([here], ['nobody-1'])).rejects.toThrow('--declare-dead: expected a process');
    await expect(recover([here], [name])).rejects.toThrow(`${name} cannot be declared dead: it lives`);
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'stopped']]);
    sign.withdraw();
  });
});

describe('recover', () => {
  test('is one process’s at a time in a folder, and leaves no lock', async () => {
    leaveJournal(here, 'source', ['stopped']);
    const lock = await FolderLock.take(here, 'recover');
    await expect(recover([here])).rejects.toThrow(`${here} is in use by process ${process.pid}`);
    lock.release();
    const recoveries = await Promise.allSettled([recover([here]), recover([here]), recover([here])]);
    expect(recoveries.map(({ status }) => status)).toContain('fulfilled');
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'stopped', 'aborted']]);
    expect(readdirSync(here).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });

  test('reads a folder once, by whatever names it is given', async () => {
    leaveJournal(here, 'source', ['stopped']);
    symlinkSync(here, there);
    expect((await recover([here, there])).settlements).toMatchObject([{ owner: 'source' }]);
  });
});

describe('closed journals', () => {
  const closed = (index: number, closing = 'aborted') => {
    const name = { migration: randomUUID(), guest: `guest-${index % 7}`, end: 'source' } as const;
    const file = join(here, journalFileName(name));
    // Of a closed one, only the last line is looked at.
    writeFileSync(file, `${entryText('begun')}${entryText(closing as 'aborted')}`);
    return file;
  };

  test('are kept up to a thousand and for thirty days; what is open, or not a journal, stays', async () => {
    mkdirSync(here);
    const files = Array.from({ length: 1_200 }, (_, index) => closed(index));
    for (const [index, file] of files.entries()) {
      const at = Date.now() / 1_000 - index * 60;
      utimesSync(file, at, at);
    }
    const longAgo = Date.now() / 1_000 - 31 * 86_400;
    utimesSync(files[0]!, longAgo, longAgo);
    const open = leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    utimesSync(open, longAgo, longAgo);
    writeFileSync(join(here, 'notes.ndjson'), 'mine');
    await recover([here]);
    const left = new Set(readdirSync(here).map((name) => join(here, name)));
    expect(files.filter((file) => left.has(file))).toEqual(files.slice(1, 1_001));
    expect(left.has(open)).toBe(true);
    expect(left.has(join(here, 'notes.ndjson'))).toBe(true);
  });

  test('are removed also while migrations come one after the other, and signs that nothing names', async () => {
    mkdirSync(here);
    const sign = await LifeSign.show(here);
    const nameless = join(here, 'gone-17-00c0ffee.life');
    renameSync(join(here, `${sign.process.name}.life`), nameless);
    sign.withdraw();
    const begin = () =>
      Journal.atDestination(here, {
        ...{ migration: randomUUID(), guest: 'web', pages: 1, pageSizeBytes: 4096, peer: '' },
      });
    for (let migration = 0; migration < 10; migration++) (await begin()).write('aborted');
    expect(readdirSync(here)).not.toContain('gone-17-00c0ffee.life');
    for (let index = 0; index < 1_200; index++) closed(index);
    (await begin()).write('aborted');
    expect(Object.keys(entriesIn(here))).toHaveLength(1_001);
  });
});

test('appended garbage without a line end is a line that a crash has cut short', async () => {
  const file = leaveJournal(here, 'source', ['stopped', 'ready']);
  appendFileSync(file, '{"entry":"comm');
  const { settlements, remarks } = await recover([here]);
  expect(remarks).toEqual([`${file}: a last line of 14 bytes was cut short and is ignored`]);
  expect(settlements).toMatchObject([{ owner: 'source', done: [{ entry: 'aborted' }] }]);
});
