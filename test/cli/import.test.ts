import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { switchover } from '../fixtures/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const log = 'test/fixtures/import/qemu-ycsb/Precopy_Convergent/mig-stats-run-2.json.gz';

describe('import', () => {
  test('says what happened in ten lines, and writes a scenario that run takes', async () => {
    const out = join(folder, 'imported.yaml');
    const { code, stdout, stderr } = await switchover('import', log, '--out', out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(10);
    expect(stdout).toContain('completed, each round left less');
    const run = await switchover('run', out, '--quiet', '--json', '-');
    expect(run.code).toBe(0);
    const record = JSON.parse(run.stdout.trim().split('\n')[0]!);
    expect(record.outcome).toBe('completed');
    expect(record.totalNs / 17.113e9).toBeCloseTo(1, 1);
  });

  test('has the keys of its contract as JSON', async () => {
    const { stdout } = await switchover('import', log, '--json', '-');
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer).sort()).toEqual(
      ['fit', 'format', 'happened', 'leftOut', 'observation', 'scenario'].sort(),
    );
    expect(answer.happened).toMatchObject({
      outcome: 'completed',
      totalNs: 17.113e9,
      downtimeNs: 11e6,
      syncs: 7,
    });
    expect(answer.fit).toMatchObject({ kind: 'classes', error: expect.any(Number) });
  });

  test('refuses what it cannot read with exit code 2, names what it expects, and writes nothing', async () => {
    const file = join(folder, 'notes.txt');
    writeFileSync(file, 'the migration went well\n');
    const out = join(folder, 'none.yaml');
    const { code, stderr } = await switchover('import', file, '--out', out);
    expect(code).toBe(2);
    expect(stderr).toContain(`${file}: expected a log of a migration (query-migrate, `);
    expect(stderr).toContain('found "the migration went well"');
    expect(existsSync(out)).toBe(false);
  });
});

describe('predict --from', () => {
  test('answers from what was known at a moment, with the keys of its contract', async () => {
    const { code, stdout } = await switchover(
      'predict',
      '--from',
      log,
      '--syncs',
      '2',
      '--stop-rate',
      '2GiB/s',
      '--json',
      '-',
    );
    expect(code).toBe(0);
    const answer = JSON.parse(stdout);
    expect(answer.syncs).toBe(3);
    expect(answer.within['60s']).toBeGreaterThan(0.5);
    for (const quantiles of [answer.totalNs, answer.downtimeNs])
      expect(Object.keys(quantiles)).toEqual(['p5', 'p10', 'p50', 'p90', 'p95']);
    expect(answer.throttle).toMatchObject({ autoConverge: null });
    expect(answer.leftOut.length).toBeGreaterThan(0);
  });

  test('prints a table of what one change would do', async () => {
    const { stdout } = await switchover('predict', '--from', log, '--syncs', '1');
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/)[0]);
    expect(rows).toEqual(
      expect.arrayContaining(['as it is', 'auto-converge on', 'downtime limit doubled', 'bandwidth doubled']),
    );
  });

  test.each([
    [['--from', log, '--at', '12s', '--syncs', '2'], '--syncs: expected only one of --at and --syncs'],
    [['--from', log, '--syncs', '99'], '--syncs: expected a moment that the log tells of'],
    [['--from', log, '--stop-rate', 'fast'], '--stop-rate: expected a rate'],
    [['--from', log, '--limit', '2s'], '--limit: expected nothing beside --from or --qmp'],
    [
      ['config/12-slides.yaml', '--syncs', '2'],
      '--syncs: expected to be used together with --from FILE or --qmp SOCKET',
    ],
  ])('refuses %j', async (args, expected) => {
    const { code, stderr } = await switchover('predict', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
  });
});
