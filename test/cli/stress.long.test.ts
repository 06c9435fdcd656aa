import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main, root, switchover } from '../fixtures/command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(root, 'config/19-stress.yaml');
const fewer = ['--runs', '8', '--quiet', '--set', 'stress.ramp={ background.0.count: [0, 2, 6] }'];
const out = (name: string) => join(folder, name);
const json = (name: string, file: string) => JSON.parse(readFileSync(join(out(name), file), 'utf8'));

/** What a command says that is typed into a shell as it was printed. */
function typed(command: string): string {
  const script = `switchover() { '${process.execPath}' '${main}' "$@"; }; ${command}`;
  return execFileSync('sh', ['-c', script], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

describe('stress', () => {
  test('finds the number of hogs at which the unreserved migration misses its target: exit code 3', async () => {
    const { code, stdout } = await switchover(
      ...['stress', config, '--only', 'cpu.scheduler=fair', '--out', out('fair'), ...fewer],
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /scheduler fair: keeps everything up to background\.0\.count = 0 .*; breaks at 2 \(missed\): downtime/,
    );
    const { results } = json('fair', 'stress.json');
    expect(results.map(({ level, verdict }: { level: number; verdict: string }) => [level, verdict])).toEqual(
      [
        [0, 'likely kept'],
        [1, 'missed'],
      ],
    );
  });

  test('shows that the reserved one keeps it to the end: exit code 0', async () => {
    const { code, stdout } = await switchover(
      ...['stress', config, '--only', 'cpu.scheduler=cbs-hard', '--out', out('hard'), ...fewer],
      ...['--json', out('answer.json')],
    );
    expect(code).toBe(0);
    expect(JSON.parse(readFileSync(out('answer.json'), 'utf8'))).toEqual(json('hard', 'stress.json'));
    expect(stdout).toMatch(/keeps everything up to background\.0\.count = 6 .*, the last level tried\.$/m);
    expect(stdout).toContain('8 runs can show that it is missed but not that it is kept; that needs 72');
  });

  test('leaves records that know their cells, and what is needed to repeat them', async () => {
    const lines = readFileSync(join(out('hard'), 'records.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    const records = lines.map((line) => JSON.parse(line));
    expect(records).toHaveLength(24);
    expect(records[0].schema).toBe('switchover.record/1');
    expect(records[9].cell).toMatchObject({ index: 1, repetition: 1 });
    expect(records[9].cell.settings).toMatchObject({ 'background.0.count': 2, 'cpu.scheduler': 'cbs-hard' });
    const design = json('hard', 'design.json');
    expect(design.name).toBe('19-stress');
    expect(design.text).toBe(readFileSync(config, 'utf8'));
    expect(design.command).toContain('--only cpu.scheduler=cbs-hard');
  });

  test('has for every record the command that gives the same one again, bit for bit', async () => {
    const lines = readFileSync(join(out('hard'), 'records.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    const line = lines[13]!;
    const stdout = typed(`${JSON.parse(line).cell.command} --json -`);
    expect(stdout.trimEnd()).toBe(`${line.slice(0, line.indexOf(',"cell":{'))}}`);
  });

  test('a report says how to repeat one of its rows', async () => {
    expect(await switchover('report', out('hard'))).toMatchObject({ code: 0 });
    const text = readFileSync(join(out('hard'), 'report.md'), 'utf8');
    const [, command] = /^ {4}2: (switchover run .* --runs 8 --seed \d+)$/m.exec(text)!;
    expect(command).toContain('--set background.0.count=2');
    const stdout = typed(`${command} --json -`);
    const downtimes = (all: string) =>
      all
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ cell }) => cell === undefined || cell.settings['background.0.count'] === 2)
        .map(({ downtimeNs }) => downtimeNs);
    expect(downtimes(stdout)).toEqual(downtimes(readFileSync(join(out('hard'), 'records.ndjson'), 'utf8')));
  });

  test('does not write into a folder that has something in it', async () => {
    const { code, stderr } = await switchover('stress', config, '--out', out('hard'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/--out: expected a new or empty folder/);
  });

  test('says all that is wrong with its part of the file at once, before anything is made', async () => {
    const file = out('wrong.yaml');
    writeFileSync(
      file,
      `guest: { pages: 100, program: { kind: sequential, writesPerSecond: 1 } }
link: { rate: 1Mbit/s }
stress: { ramp: { a: [1], b: [2] }, thresholds: [downtime > 3s, missedPeriods p95 < 1%, 7], more: 1 }
`,
    );
    const { code, stderr } = await switchover('stress', file, '--out', out('nothing'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/stress\.ramp: expected a ramp: one path/);
    expect(stderr).toMatch(/stress\.thresholds\.0: expected a threshold: METRIC/);
    expect(stderr).toMatch(/stress\.thresholds\.1: expected no p95/);
    expect(stderr).toMatch(/stress\.thresholds\.2: expected a threshold such as/);
    expect(stderr).toMatch(/stress\.more: expected no such key, found 1/);
    expect(existsSync(out('nothing'))).toBe(false);
  });

  test('refuses what it has no stress for, no alternative for, or no world for', async () => {
    const none = await switchover('stress', 'config/12-slides.yaml', '--out', out('none'));
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/^stress: expected a stress: \{ ramp, thresholds \}, found nothing/);
    const other = await switchover('stress', config, '--only', 'cpu.scheduler=edf', '--out', out('none'));
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--only cpu\.scheduler: expected a setting of one of the alternatives/);
    const memory = [
      '--set',
      'background=[{ kind: memory-hog }]',
      '--set',
      'stress.ramp={ background.0.count: [1] }',
    ];
    const virtual = await switchover('stress', config, ...memory, '--out', out('memory'));
    expect(virtual.code).toBe(2);
    expect(virtual.stderr).toMatch(/memory-hog is not supported in virtual time/);
  });

  test('run takes the same file as a scenario like any other', async () => {
    const { code } = await switchover('run', config, '--quiet', '--json', '-', '--runs', '1');
    expect(code).toBe(0);
  });
});
