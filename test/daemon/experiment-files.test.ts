import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExperimentFiles } from '../../src/daemon/experiment-files.ts';
import type { ExperimentView } from '../../src/daemon/view-schemas.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-experiment-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const view = (digit: number, more: Partial<ExperimentView> = {}): ExperimentView => ({
  ...{ id: `0000000${digit}-0000-4000-8000-000000000000`, name: `e${digit}`, describe: '', world: 'virtual' },
  ...{ state: 'completed', why: null, createdAt: `2026-01-0${digit}T00:00:00.000Z` },
  ...{ endedAt: '2026-02-01T00:00:00.000Z', runs: { done: 2, all: 2 }, downtime: null, cells: [] },
  progress: null,
  ...more,
});

test('the next process knows what has ended as it was, and of the rest how far it came', () => {
  const files = new ExperimentFiles(folder);
  const running = view(1, { state: 'running', endedAt: null, runs: { done: 0, all: 9 } });
  for (const one of [view(2), running]) files.keep(one);
  writeFileSync(files.records(running.id), '{}\n{}\n{"cut');
  const remarks: string[] = [];
  const [first, second] = new ExperimentFiles(folder).past((line) => remarks.push(line));
  expect(first).toMatchObject({ state: 'failed', runs: { done: 2, all: 9 }, progress: null });
  expect(first!.why).toMatch(/the records of 2 runs are there/);
  expect(second).toEqual(view(2));
  expect(remarks).toEqual([]);
});

test('what cannot be read is removed with its records, and told of; what is a user’s own stays', () => {
  const files = new ExperimentFiles(folder);
  const [damaged, unknown] = [view(1), view(2)];
  writeFileSync(join(folder, `${damaged.id}.json`), '{"id": 5}');
  writeFileSync(files.records(unknown.id), '{}\n');
  writeFileSync(join(folder, 'thesis.json'), '{}');
  const remarks: string[] = [];
  expect(files.past((line) => remarks.push(line))).toEqual([]);
  expect(remarks.length).toBe(2);
  expect(readdirSync(folder)).toEqual(['thesis.json']);
});
