import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { migrateVirtually } from '../../src/run/ensemble.ts';
import { loadExperiment, seeded } from '../../src/scenario/scenario.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

function plan(...args: string[]) {
  const command = [join(root, 'dist/cli/main.js'), 'plan', ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
}

function written(name: string, document: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(document));
  return file;
}

/** A guest with a few hot pages, which is computed quickly. */
const small = {
  guest: {
    pages: 1500,
    program: {
      kind: 'classes',
      classes: [
        { pages: 150, writesPerSecond: 8 },
        { pages: 1350, writesPerSecond: 0.01 },
      ],
    },
  },
  link: { capacity: '100Mbit/s', rate: '20Mbit/s' },
  migration: { heat: 'known', observe: '0s' },
};

describe('switchover plan', () => {
  const out = join(folder, 'planned.yaml');
  const drawn = join(folder, 'front.svg');
  let text: string;
  let answer: {
    readonly chosen: Record<string, unknown>;
    readonly certificate: { runs: number; kept: number; lowerBound: number; seeds: { first: number } };
    readonly sensitivity: readonly { cut: string; missed: boolean }[];
    readonly [key: string]: unknown;
  };

  beforeAll(() => {
    const json = join(folder, 'plan.json');
    const options = ['--target', 'downtime<=100ms@0.95', '--out', out, '--json', json, '--svg', drawn];
    const { status, stdout, stderr } = plan(written('small.yaml', small), ...options);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    text = stdout;
    answer = JSON.parse(readFileSync(json, 'utf8'));
  });

  test('answers with the keys that others rely on', () => {
    const keys = ['feasible', 'target', 'chosen', 'certificate', 'sensitivity', 'settings', 'leftOut'];
    expect(Object.keys(answer)).toEqual(expect.arrayContaining(keys));
    expect(answer).toMatchObject({
      feasible: true,
      target: [{ metric: 'downtime', limitNs: 100e6, probability: 0.95 }],
      certificate: { confidence: 0.95 },
      settings: { qmp: [{ execute: 'migrate-set-parameters' }], kubevirt: { kind: 'MigrationPolicy' } },
    });
    expect(answer.certificate.lowerBound).toBeGreaterThanOrEqual(0.95);
  });

  test('prints it as a table, with the certificate', () => {
    expect(text).toMatch(/certificate {2}kept in \d+ of \d+ migrations with fresh seeds/);
  });

  test('draws the front, each point with what it would reserve, and the choice beside it', () => {
    const svg = readFileSync(drawn, 'utf8');
    const { front } = answer as unknown as { front: readonly object[] };
    expect(front.length).toBeGreaterThan(1);
    expect(svg.match(/<title>b [\s\S]*?cost /g)).toHaveLength(front.length + 1);
    expect(svg).toContain('>chosen, ');
  });

  test('writes a scenario that keeps the target with seeds of its own', () => {
    const { target, runs, seed, cells } = loadExperiment(out);
    expect([target, runs, seed]).toEqual([answer.target, 1, 1]);
    expect(parse(readFileSync(out, 'utf8')).link.stopRate).toBe(answer.chosen['link.stopRate']);
    const kept = (cut = 1) =>
      Array.from({ length: 100 }, (_, index) => {
        const spec = seeded(cells[0]!, 5_000_000 + index);
        const stopRateBytesPerSecond = spec.plan.stopRateBytesPerSecond! * cut;
        return migrateVirtually({ ...spec, plan: { ...spec.plan, stopRateBytesPerSecond } });
      }).filter(({ outcome, downtimeNs }) => outcome === 'completed' && downtimeNs <= 100e6).length;
    expect(kept()).toBeGreaterThanOrEqual(95);
    expect(kept(0.9)).toBeLessThan(95);
  });

  test('reserves no more than that: with a tenth less of anything the target is missed', () => {
    expect(answer.sensitivity.map(({ cut, missed }) => [cut, missed])).toEqual([
      ['link.rate', true],
      ['link.stopRate', true],
    ]);
  });

  test('has exit code 3 and names what makes it impossible', () => {
    const state = {
      ...small,
      guest: { ...small.guest, device: { state: '2GiB' } },
      link: { rate: '10Gbit/s' },
    };
    const { status, stdout } = plan(
      written('state.yaml', state),
      '--target',
      'downtime<=300ms@0.99',
      '--json',
      '-',
    );
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      feasible: false,
      chosen: null,
      bound: { key: 'guest.device.state', metric: 'downtime' },
      reason: expect.stringContaining('2 GiB of device state need 1.72 s at 10 Gbit/s'),
    });
  });

  test('finds the limit of the downtime from the deadlines of tasks in the guest', () => {
    const tasks = join(root, 'test/fixtures/task-sets/controller.yaml');
    const { status, stdout } = plan(join(folder, 'small.yaml'), '--tasks', tasks, '--json', '-');
    expect(status).toBe(0);
    const { tasks: stop, target, chosen } = JSON.parse(stdout);
    // control: 80 ms, less the 14 ms until 2 ms are supplied; logger: 200 − (10 + 2 · 2 + 5 · 6) …
    expect(stop).toMatchObject({ longestStopNs: 66e6, task: 'control', downtimeNs: 60e6 });
    expect(target).toEqual([{ metric: 'downtime', limitNs: 60e6, probability: 0.99 }]);
    expect(chosen['guest.reservation']).toEqual({ budget: '4ms', period: '10ms' });
  });

  test('refuses what is none: exit code 2', () => {
    const file = join(folder, 'small.yaml');
    const refused = (...args: string[]) => {
      const { status, stderr } = plan(file, ...args);
      return [status, stderr.split('\n')[0]];
    };
    expect(refused('--target', 'soon')).toEqual([
      2,
      expect.stringContaining('--target: expected a target such as'),
    ]);
    expect(refused()).toEqual([2, expect.stringContaining('--target: expected a target such as')]);
    expect(refused('--target', 'total<=9s', '--cost', 'cpu=x')).toEqual([
      2,
      expect.stringContaining('--cost: expected weights'),
    ]);
    expect(refused('--target', 'total<=9s', '--keep', 'b')).toEqual([
      2,
      expect.stringContaining('--keep: expected any of link.rate'),
    ]);
  });
});
