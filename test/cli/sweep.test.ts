import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FolderLock } from '../../src/platform/folder-lock.ts';
import { main, root, switchover } from '../fixtures/command.ts';
import { leaveLock } from '../fixtures/left-behind.ts';

// A command takes a second to start, several on a busy machine, and some of these tests start many.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
  file = join(folder, 'small.yaml');
  writeFileSync(file, small);
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = `
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
compare: { migration.order: [address, lru] }
sweep: { grid: { migration.stop.rounds: { from: 1, to: 3, steps: 3 } } }
runs: 50
`;

/** What is in the folder of a sweep that was not divided. */
const left = ['design.json', 'environments-1-of-1.json', 'records-1-of-1.ndjson'];

const at = (name: string) => join(folder, name);

/** All records of a folder, as text, in an order of their own. */
function linesOf(out: string): readonly string[] {
  return readdirSync(out)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => readFileSync(join(out, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .sort();
}

const sweepOf = (out: string, ...args: string[]) => switchover('sweep', file, '--out', at(out), ...args);

describe('a sweep', () => {
  beforeAll(async () => {
    expect(await sweepOf('whole')).toMatchObject({ code: 0 });
  });

  test('leaves one record for every run, and its design beside them', () => {
    const records = linesOf(at('whole')).map((line) => JSON.parse(line));
    expect(records).toHaveLength(6 * 50);
    const labels = records.map(({ cell }) => `${cell.index} ${cell.repetition}`);
    expect(new Set(labels).size).toBe(300);
    expect(records[0].schema).toBe('switchover.record/1');
    expect(JSON.parse(readFileSync(join(at('whole'), 'design.json'), 'utf8'))).toMatchObject({
      schema: 'switchover.sweep/1',
      cells: 6,
      runs: { least: 50, most: 50 },
      seed: 1,
      text: small,
      command: `switchover sweep ${file} --out DIR`,
    });
  });

  test('says once, beside its records, what made them; another machine that goes on is added', async () => {
    const name = join(at('whole'), 'environments-1-of-1.json');
    const environments = JSON.parse(readFileSync(name, 'utf8'));
    const { digest, version } = JSON.parse(readFileSync(join(at('whole'), 'design.json'), 'utf8'));
    expect(environments).toEqual([
      {
        ...{ version, node: process.version, scenarioDigest: digest, machineProfile: null },
        kernel: expect.any(String),
        processor: expect.any(String),
      },
    ]);
    const out = at('moved');
    mkdirSync(out);
    copyFileSync(join(at('whole'), 'design.json'), join(out, 'design.json'));
    const elsewhere = { ...environments[0], processor: 'another' };
    writeFileSync(join(out, 'environments-1-of-1.json'), JSON.stringify([elsewhere]));
    const records = readFileSync(join(at('whole'), 'records-1-of-1.ndjson'), 'utf8').split('\n');
    writeFileSync(join(out, 'records-1-of-1.ndjson'), `${records.slice(0, 100).join('\n')}\n`);
    const file = at('new.ndjson');
    const { code, stdout } = await sweepOf('moved', '--json', file);
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(join(out, 'environments-1-of-1.json'), 'utf8'))).toEqual([
      elsewhere,
      environments[0],
    ]);
    // What is new is in the file, and the table is told beside it.
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(200);
    expect(stdout).toContain('300 runs, 100 of them from an earlier run');
    expect(linesOf(out)).toEqual(linesOf(at('whole')));
  });

  test('with a guest that was changed on its way ends with 1 and says so; that run is not among the completed', async () => {
    const out = at('changed');
    mkdirSync(out);
    for (const name of readdirSync(at('whole'))) copyFileSync(join(at('whole'), name), join(out, name));
    const records = join(out, readdirSync(out).find((name) => name.endsWith('.ndjson'))!);
    const text = readFileSync(records, 'utf8');
    writeFileSync(records, text.replace('"continued":"not-checked"', '"continued":"different"'));
    const { code, stdout } = await sweepOf('changed');
    expect(code).toBe(1);
    expect(stdout).toContain('In 1 of the runs the guest was changed on its way');
    expect(stdout).toContain('49 of 50');
  });

  test('has for every record the command that gives the same one again, bit for bit', async () => {
    const lines = linesOf(at('whole'));
    for (const line of [lines[0]!, lines[151]!, lines[299]!]) {
      const { command } = JSON.parse(line).cell;
      const [, ...args] = command.split(' ');
      const { stdout } = await switchover(...args, '--json', '-');
      const alone = stdout.slice(0, stdout.indexOf(',"environment":{'));
      expect(alone).toBe(line.slice(0, line.indexOf(',"cell":{')));
    }
  });

  test('killed again and again, comes to the same records as one that was not', async () => {
    const out = at('killed');
    const records = join(out, 'records-1-of-1.ndjson');
    const bytesOf = () => (existsSync(records) ? statSync(records).size : 0);
    for (let kill = 0; kill < 3; kill++) {
      const before = bytesOf();
      const child = spawn(process.execPath, [main, 'sweep', file, '--out', out], {
        cwd: root,
        stdio: 'ignore',
      });
      const ended = new Promise((done) => child.once('exit', done));
      const look = setInterval(() => bytesOf() > before && child.kill('SIGKILL'), 1);
      await ended;
      clearInterval(look);
      // As much as a kill may leave behind: half a line.
      appendFileSync(records, linesOf(at('whole'))[kill]!.slice(0, 700));
    }
    expect(linesOf(out).length).toBeGreaterThan(0);
    expect(await switchover('sweep', file, '--out', out)).toMatchObject({ code: 0 });
    expect(linesOf(out)).toEqual(linesOf(at('whole')));
    expect(readdirSync(out).sort()).toEqual(left);
  });

  test('in shards comes to the same records, once their files lie in one folder', async () => {
    for (const shard of ['1/3', '2/3', '3/3']) {
      expect(await sweepOf(`shard-${shard[0]}`, '--shard', shard)).toMatchObject({ code: 0 });
    }
    mkdirSync(at('merged'));
    copyFileSync(join(at('shard-1'), 'design.json'), join(at('merged'), 'design.json'));
    for (const shard of [1, 2, 3]) {
      const name = `records-${shard}-of-3.ndjson`;
      expect(linesOf(at(`shard-${shard}`))).toHaveLength(100);
      copyFileSync(join(at(`shard-${shard}`), name), join(at('merged'), name));
    }
    expect(linesOf(at('merged'))).toEqual(linesOf(at('whole')));
    // Nothing is missing, so nothing is run.
    expect((await sweepOf('merged')).stdout).toContain('300 runs, 300 of them from an earlier run');
    expect(linesOf(at('merged'))).toEqual(linesOf(at('whole')));
  });

  test('repeats until the interval is narrow enough, and says all that it ran with --json -', async () => {
    const { code, stdout } = await sweepOf(
      ...['adaptive', '--runs', '6', '--json', '-'],
      ...['--set', 'sweep.until={ interval: 0.05, most: 40 }', '--set', 'sweep.grid={}'],
    );
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(12);
    expect(lines.length).toBeLessThanOrEqual(80);
    expect(lines.toSorted()).toEqual(linesOf(at('adaptive')));
  });

  test('exports a table of columns', async () => {
    const { code } = await sweepOf('whole', '--parquet', at('table.parquet'));
    expect(code).toBe(0);
    const { parquetReadObjects, asyncBufferFromFile } = await import('hyparquet');
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at('table.parquet')) });
    const records = readFileSync(join(at('whole'), 'records-1-of-1.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(300);
    for (const [index, row] of rows.entries()) {
      const { cell, downtimeNs, downtimeParts, seed } = records[index];
      expect(row).toMatchObject({ cell: cell.index, repetition: cell.repetition, downtimeNs, seed });
      const { dirtyScanNs, memoryNs } = downtimeParts;
      expect(row).toMatchObject({ dirtyScanNs, memoryNs });
      expect(row).toMatchObject(cell.settings);
    }
  });

  test('in a real world runs one migration at a time, and goes on as any other', async () => {
    const real = (...args: string[]) =>
      sweepOf(
        ...['threads', '--world', 'threads', '--runs', '2', '--quiet', ...args],
        ...['--set', 'sweep=null', '--set', 'migration.observe=100ms', '--set', 'link.rate=1Gbit/s'],
      );
    expect(await real('--shard', '2/2')).toMatchObject({ code: 0 });
    expect(await real()).toMatchObject({ code: 0 });
    const records = linesOf(at('threads')).map((line) => JSON.parse(line));
    expect(records.map(({ world, outcome }) => [world, outcome])).toEqual(
      Array.from({ length: 4 }, () => ['threads', 'completed']),
    );
    expect(new Set(records.map(({ cell }) => `${cell.index} ${cell.repetition}`)).size).toBe(4);
    expect(records[0].cell.command).toContain('--world threads');
  });
});

describe('is refused before anything runs', () => {
  const refused = async (out: string, ...args: string[]) => {
    const { code, stderr } = await sweepOf(out, ...args);
    expect(code).toBe(2);
    expect(stderr).not.toMatch(/\n\s+at |node:internal/);
    return stderr;
  };

  test('a design with an unknown path, and no folder is made for it', async () => {
    const said = await refused('never', '--set', 'sweep.grid={ link.colour: [red] }');
    expect(said).toContain('link.colour: expected no such key, found "red"');
    expect(existsSync(at('never'))).toBe(false);
  });

  test('a folder that cannot be written', async () => {
    expect(await refused('small.yaml/below')).toMatch(/^--out: expected a folder that can be written, found/);
    expect(await refused('small.yaml')).toMatch(/^--out: expected a folder that can be written, found/);
    const nowhere = join(relative(folder, '/proc'), 'nope');
    expect(await refused(nowhere)).toMatch(/^--out: expected a folder that can be written, found/);
  });

  test('a shard that is none', async () => {
    expect(await refused('never', '--shard', '3/2')).toMatch(/^--shard: expected i\/n with i from 1 to n/);
  });

  test('a folder of another design, of another version, or with records that are not of it', async () => {
    await sweepOf('other', '--runs', '2');
    const design = join(at('other'), 'design.json');
    const records = join(at('other'), 'records-1-of-1.ndjson');
    const before = readFileSync(records);
    expect(await refused('other', '--runs', '3')).toMatch(/design\.json: runs: expected .*3.*, found .*2/);
    expect(await refused('other', '--runs', '2', '--seed', '9')).toMatch(
      /design\.json: seed: expected 9, found 1/,
    );

    const text = readFileSync(design, 'utf8');
    writeFileSync(design, text.replace(/"version": "[^"]*"/, '"version": "0.0.1"'));
    expect(await refused('other', '--runs', '2')).toMatch(
      /design\.json: version: expected .*, found "0\.0\.1"/,
    );
    writeFileSync(design, text);

    const [line] = before.toString().split('\n');
    for (const [added, said] of [
      [line!.replace('switchover.record/1', 'switchover.record/2'), /13: expected a record of schema .*\/1/],
      [line!.replace(/"seed":\d+,"startedAt"/, '"seed":77,"startedAt"'), /13: .* found virtual, seed 77/],
      [line!, /13: expected every run once, found cell \d, repetition \d again/],
      ['{"half":', /13: expected a record of this sweep, found no record/],
    ] as const) {
      writeFileSync(records, `${before}${added}\n`);
      expect(await refused('other', '--runs', '2')).toMatch(said);
    }
  });

  test('a folder in which another process is at work; one that was killed leaves it free', async () => {
    const lock = await FolderLock.take(at('busy'), 'records-1-of-1.ndjson');
    expect(await refused('busy')).toContain(`${at('busy')} is in use by process ${process.pid} on `);
    lock.release();
    leaveLock(at('busy'), 'records-1-of-1.ndjson');
    expect(await sweepOf('busy', '--runs', '1')).toMatchObject({ code: 0 });
    expect(readdirSync(at('busy')).sort()).toEqual(left);
  });
});

describe('a full disk', () => {
  const tiny = () => at('tiny');
  const mounted = () => {
    mkdirSync(tiny());
    return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', tiny()]).status === 0;
  };

  test('stops the sweep between two records, and it goes on when there is room', async (context) => {
    if (!mounted()) context.skip('a tiny file system can only be mounted by root');
    try {
      const { code, stderr } = await sweepOf('tiny');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^switchover: cannot write .*records-1-of-1\.ndjson: ENOSPC.* the same command continues/m,
      );
      const text = readFileSync(join(tiny(), 'records-1-of-1.ndjson'), 'utf8');
      expect(text.endsWith('}\n')).toBe(true);
      expect(readdirSync(tiny()).sort()).toEqual(left);
      spawnSync('mount', ['-o', 'remount,size=16m', tiny()]);
      expect(await sweepOf('tiny')).toMatchObject({ code: 0 });
      expect(linesOf(tiny())).toEqual(linesOf(at('whole')));
    } finally {
      spawnSync('umount', [tiny()]);
    }
  });
});
