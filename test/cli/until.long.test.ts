import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { switchover } from '../fixtures/command.ts';
import { entriesIn } from '../fixtures/journals.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-until-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'small.yaml');
writeFileSync(
  file,
  `guest: { pages: 100, program: { kind: classes, classes: [ { pages: 60, writesPerSecond: 40 } ] } }
link: { rate: 100Mbit/s }
migration: { observe: 0ms, stop: { rule: rounds, rounds: 1 } }
runs: 2
`,
);
const at = (name: string) => join(folder, name);

describe('run --until', () => {
  test('repeats until the median is known so well, and says how many runs it took', async () => {
    const [json, summary] = [at('records.ndjson'), at('summary.json')];
    const { code, stdout } = await switchover(
      ...['run', file, '--quiet', '--until', 'downtime+-5%', '--json', json, '--summary', summary],
    );
    expect(code).toBe(0);
    const runs = readFileSync(json, 'utf8').trimEnd().split('\n').length;
    expect(runs).toBeGreaterThan(6);
    expect(stdout).toContain('at most 1000 runs');
    expect(stdout).toMatch(new RegExp(`│ +${runs} │ .* ms \\[.*\\] │ +±[\\d.]+ % │ +reached │`));
    const [cell] = JSON.parse(readFileSync(summary, 'utf8')).cells;
    expect(cell).toMatchObject({ runs, until: { precision: 'downtime ±5 %', isReached: true } });
    expect(cell.until.halfWidth).toBeLessThanOrEqual(0.05);
  });

  test('ends with 3 where the most runs were not enough', async () => {
    const { code, stdout } = await switchover(
      ...['run', file, '--quiet', '--until', 'downtime±0.1%', '--most-runs', '12'],
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(/│ +12 │ .* │ +not reached │/);
  });

  test('in a real world runs some before those that count, of which there is no record', async () => {
    const [json, journals] = [at('real.ndjson'), at('journals')];
    const { code } = await switchover(
      ...['run', file, '--quiet', '--world', 'threads', '--until', 'downtime±100%', '--most-runs', '6'],
      ...['--warm-up', '2', '--json', json, '--journal', journals],
    );
    expect([0, 3]).toContain(code);
    const seeds = readFileSync(json, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).seed);
    expect(seeds).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Object.keys(entriesIn(journals))).toHaveLength(2 + 6);
  });

  test('says what is wrong with it before anything runs', async () => {
    const wrong = await switchover('run', file, '--until', 'downtme±5%');
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/^--until: expected METRIC±SHARE%/),
    ]);
    const alone = await switchover('run', file, '--warm-up', '2', '--most-runs', '9');
    expect(alone.code).toBe(2);
    expect(alone.stderr).toMatch(/^--warm-up: expected to be used together with --until/m);
    expect(alone.stderr).toMatch(/^--most-runs: expected to be used together with --until/m);
    const few = await switchover('run', file, '--until', 'downtime±5%', '--runs', '20', '--most-runs', '9');
    expect(few.stderr).toMatch(/^--most-runs: expected at least 20, the least runs, found 9/);
    const chart = await switchover('run', file, '--until', 'downtime±5%', '--gantt', at('none.svg'));
    expect(chart.stderr).toMatch(/^--gantt: expected no --until beside it/);
  });
});
