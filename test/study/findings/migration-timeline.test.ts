import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collect } from '../../../src/study/findings/collection.ts';
import { reportOf } from '../../../src/study/findings/findings-report.ts';
import { timelineOf } from '../../../src/study/findings/migration-timeline.ts';
import { recordLine, writeLines } from '../../fixtures/records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rounds = [
  { round: 1, dirtyPages: 100, bytes: 400_000, durationNs: 300e6 },
  { round: 2, dirtyPages: 40, bytes: 160_000, durationNs: 100e6 },
];
/** 400 ms of rounds before the stop. */
const line = (downtimeMs: number, seed: number, order = 'lru') =>
  recordLine(downtimeMs, {
    ...{ seed, rounds, plan: { order, seed }, totalNs: 400e6 + downtimeMs * 1e6 },
    stop: { pages: 10, bytes: 40_000, durationNs: downtimeMs * 1e6 },
  });

function timeline() {
  const { cells, traces } = collect(folder);
  return timelineOf(cells, traces);
}

test('a timeline is of the median migration of the cell with the shortest downtime', () => {
  writeLines(folder, 'a.ndjson', [
    ...[30, 10, 20].map((ms, seed) => line(ms, seed)),
    ...[90, 91, 92].map((ms, seed) => line(ms, seed, 'random')),
  ]);
  const { run, phases, stoppedAtNs, slices } = timeline()!;
  expect([run.seed, slices]).toEqual([2, undefined]);
  expect(phases.map(({ name, fromNs, toNs, pages }) => [name, fromNs / 1e6, toNs / 1e6, pages])).toEqual([
    ['1', 0, 300, 100],
    ['2', 300, 400, 40],
    ['stop', 400, 420, 10],
  ]);
  expect(stoppedAtNs).toBe(400e6);
  expect(phases[0]!.bytesPerSecond).toBeCloseTo(400_000 / 0.3);
  const { figures } = reportOf(collect(folder));
  expect(figures.at(-1)).toMatchObject({ name: 'timeline' });
  expect(figures.at(-1)!.svg.match(/<svg /g)).toHaveLength(3);
});

test('it is of the migration of which there is a trace, and has the threads of that', () => {
  writeLines(folder, 'a.ndjson', [line(10, 1), line(99, 2, 'random')]);
  const trace = {
    otherData: { seed: 2, totalNs: 499e6, downtimeNs: 99e6 },
    traceEvents: [
      { ph: 'X', name: 'round 1', pid: 1, tid: 1, ts: 5_000, dur: 300_000 },
      { ph: 'X', name: 'guest', pid: 3, tid: 1, ts: 6_000, dur: 4_000 },
      { ph: 'X', name: 'served', pid: 4, tid: 1, ts: 6_000, dur: 4_000 },
    ],
  };
  writeFileSync(join(folder, 'last.perfetto.json'), JSON.stringify(trace));
  expect(timeline()).toMatchObject({ run: { seed: 2 } });
  expect(timeline()!.slices).toEqual([{ name: 'guest', start: 1e6, end: 5e6, processor: 1 }]);
  const { figures } = reportOf(collect(folder));
  expect(figures.at(-1)!.svg).toContain('aria-label="Who ran"');
});

test('there is none of records that do not say how long their rounds took', () => {
  writeLines(folder, 'a.ndjson', [recordLine(10)]);
  expect(timeline()).toBeUndefined();
});

test('what is no trace is not drawn, and said so', () => {
  writeLines(folder, 'a.ndjson', [line(10, 1)]);
  writeFileSync(join(folder, 'a.perfetto.json'), '{"traceEvents": [');
  writeFileSync(join(folder, 'b.perfetto.json'), '{"traceEvents": 1}');
  expect(timeline()).toMatchObject({ slices: undefined });
  expect(collect(folder).notes).toEqual([
    expect.stringMatching(/a\.perfetto\.json: not JSON; it is not drawn$/),
    expect.stringMatching(/b\.perfetto\.json: not a trace of run --perfetto, and not drawn$/),
  ]);
});
