import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collect } from '../../../src/study/findings/collection.ts';
import { conclusions } from '../../../src/study/findings/conclusions.ts';
import { csvOf } from '../../../src/study/findings/csv.ts';
import { reportOf } from '../../../src/study/findings/findings-report.ts';
import { markdownOf } from '../../../src/study/findings/markdown.ts';
import { paretoFront } from '../../../src/study/findings/plots/pareto.ts';
import { recordLine, sweepLines, writeLines } from '../../fixtures/records.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const orders = [
  { settings: { 'migration.order': 'address' }, downtimeMs: 200 },
  { settings: { 'migration.order': 'lru' }, downtimeMs: 100 },
  { settings: { 'migration.order': 'random' }, downtimeMs: 100.2 },
];

/** So many runs that differ in nothing but their seed. */
const alike = (downtimeMs: number, runs: number, more: object = {}) =>
  Array.from({ length: runs }, (_, index) => recordLine(downtimeMs, { seed: index + 1, ...more }));

describe('the records of a folder', () => {
  test('of a sweep are grouped by the settings that it wrote', () => {
    writeLines(folder, 'a.ndjson', sweepLines(orders, 10));
    const { paths, cells, records } = collect(folder);
    expect(records).toBe(30);
    expect(paths).toEqual(['migration.order']);
    expect(cells.map(({ label, runs }) => [label, runs.length])).toEqual([
      ['order address', 10],
      ['order lru', 10],
      ['order random', 10],
    ]);
  });

  test('of plain runs are told apart by where their plans and reservations differ, but for the seed', () => {
    const plan = (order: string, seed: number) => ({
      plan: { order, seed, rateBytesPerSecond: 6_250_000 },
      seed,
    });
    writeLines(
      folder,
      'a.ndjson',
      [1, 2].map((seed) => recordLine(100, plan('address', seed))),
    );
    writeLines(folder, 'b.ndjson', [
      ...[1, 2].map((seed) => recordLine(100, plan('lru', seed))),
      recordLine(50, {
        ...plan('lru', 3),
        reservations: { guest: null, sender: { budgetNs: 2e6, periodNs: 10e6 }, scheduler: 'cbs-hard' },
      }),
    ]);
    const { cells, common } = collect(folder);
    expect(cells.map(({ label, runs }) => [label, runs.length])).toEqual([
      ['order address', 2],
      ['order lru', 2],
      ['order lru, scheduler cbs-hard', 1],
    ]);
    expect(common).toContain('plan.rateBytesPerSecond: 50Mbit/s');
  });

  test('keep their numbers whatever the files are called, and in whatever order the runs ended', () => {
    const settings = ['address', 'lru', 'random'].map((order) => ({
      settings: { 'migration.order': order },
      downtimeMs: order.length,
    }));
    const lines = sweepLines(settings, 6);
    const numbered = (files: Readonly<Record<string, readonly string[]>>) => {
      const own = mkdtempSync(join(folder, 'numbered-'));
      for (const [name, some] of Object.entries(files)) writeLines(own, name, some);
      return collect(own).cells.map(({ number, label, runs }) => [
        number,
        label,
        runs.map(({ seed }) => seed),
      ]);
    };
    const seeds = [1, 2, 3, 4, 5, 6];
    const expected = [
      [1, 'order address', seeds],
      [2, 'order lru', seeds],
      [3, 'order random', seeds],
    ];
    const [one, other] = [lines.slice(0, 7), lines.slice(7)];
    expect(numbered({ 'a.ndjson': one, 'b.ndjson': other })).toEqual(expected);
    expect(numbered({ 'a.ndjson': other, 'b.ndjson': one })).toEqual(expected);
    expect(numbered({ 'a.ndjson': lines.toReversed() })).toEqual(expected);
    // Records of run --json say nothing of cells: then the order is that of what is in the files.
    const plain = (order: string) => [1, 2].map((seed) => recordLine(9, { seed, plan: { order, seed } }));
    const cells = [
      [1, 'order address', [1, 2]],
      [2, 'order lru', [1, 2]],
    ];
    expect(numbered({ 'a.ndjson': plain('address'), 'b.ndjson': plain('lru') })).toEqual(cells);
    expect(numbered({ 'a.ndjson': plain('lru'), 'b.ndjson': plain('address') })).toEqual(cells);
  });

  test('say what made them, from records and from the folder of a sweep', () => {
    const made = { version: '0.2.0', node: 'v20.19.0', kernel: 'Linux 6.1', processor: 'one' };
    const environment = { ...made, scenarioDigest: 'ab', machineProfile: null };
    writeLines(folder, 'a.ndjson', [
      recordLine(100, { environment }),
      recordLine(101, { seed: 2, environment }),
      recordLine(102, { seed: 3 }),
    ]);
    writeFileSync(
      join(folder, 'environments-1-of-2.json'),
      JSON.stringify([environment, { ...environment, processor: 'another' }]),
    );
    const collection = collect(folder);
    expect(collection.environments).toEqual([made, { ...made, processor: 'another' }]);
    const { machine, machineIsWhereReported } = reportOf(collection);
    expect(machineIsWhereReported).toBe(false);
    expect(machine.map(({ found }) => found)).toEqual([
      'switchover 0.2.0, Node.js v20.19.0, Linux 6.1, one',
      'switchover 0.2.0, Node.js v20.19.0, Linux 6.1, another',
    ]);
  });

  test('of two worlds are never thrown together', () => {
    writeLines(folder, 'a.ndjson', [recordLine(100), recordLine(100, { world: 'threads' })]);
    expect(collect(folder).cells).toHaveLength(2);
  });

  test('may end in a torn line, which is left out and said so; any other line must be a record', () => {
    writeLines(folder, 'a.ndjson', [recordLine(100)]);
    appendFileSync(join(folder, 'a.ndjson'), recordLine(100).slice(0, 200));
    const { records, notes } = collect(folder);
    expect(records).toBe(1);
    expect(notes[0]).toMatch(/a\.ndjson: the last line is incomplete/);
    appendFileSync(join(folder, 'a.ndjson'), `\n${recordLine(100)}\n`);
    expect(() => collect(folder)).toThrow(/a\.ndjson:2: not JSON/);
  });

  test.each([
    [
      'another version',
      recordLine(1, { schema: 'switchover.record/2' }),
      /a\.ndjson:1: not a switchover\.record\/1: schema/,
    ],
    ['no number where one must be', recordLine(1, { downtimeNs: 'long' }), /downtimeNs/],
    ['no object', '7', /not a switchover\.record\/1/],
  ])('are refused where they have %s', (_, line, message) => {
    writeLines(folder, 'a.ndjson', [line]);
    expect(() => collect(folder)).toThrow(message);
  });

  test('must be there', () => {
    expect(() => collect(folder)).toThrow(/no \*\.ndjson file with a record in it/);
    expect(() => collect(join(folder, 'nowhere'))).toThrow(/cannot read .*nowhere/);
  });
});

describe('what can be concluded', () => {
  test('names the best cell, those that may be as good, and by how much the others are worse', () => {
    const others = sweepLines([orders[2]!], 10).map((line) => JSON.parse(line));
    writeLines(folder, 'a.ndjson', [
      ...sweepLines(orders.slice(0, 2), 10),
      ...others.map(({ cell, ...record }, index) =>
        JSON.stringify({ ...record, seed: 100 + index, cell: { ...cell, index: 2 } }),
      ),
    ]);
    const { can } = conclusions(collect(folder));
    expect(can[0]).toMatch(/shortest median downtime is that of cell 2 \(order lru\): 100 ms \[/);
    expect(can[1]).toMatch(/^1 of the 2 others .* The longest is that of cell 1 \(order address\)/);
    expect(can[2]).toMatch(/^Cannot be distinguished from cell 2: cell 3\.$/);
  });

  test('tells cells apart pair by pair where runs of one seed met the same luck, though intervals overlap', () => {
    writeLines(folder, 'a.ndjson', sweepLines(orders, 10));
    const { can } = conclusions(collect(folder));
    expect(can[1]).toMatch(/^2 of the 2 others are certainly longer/);
    expect(can[2]).toMatch(
      /^Cell 3 \(order random\) is longer than cell 2, though the intervals overlap: by 0\.20* ms \[0\.20*–0\.20*\], the median of 10 pairs of runs with the same seed\.$/,
    );
    expect(can.join()).not.toMatch(/told apart/);
  });

  test('is nothing of cells with fewer than six runs', () => {
    writeLines(folder, 'a.ndjson', sweepLines(orders, 5));
    const { can, cannot } = conclusions(collect(folder));
    expect(can).toEqual([]);
    expect(cannot[0]).toMatch(/Fewer than 6 completed runs .* cells 1, 2, 3/);
  });

  test('is nothing of runs in which nothing was random', () => {
    writeLines(folder, 'a.ndjson', alike(100, 8));
    const collection = collect(folder);
    const { can, cannot } = conclusions(collection);
    expect(cannot.join()).toMatch(/All runs of cell 1 are equal/);
    expect(can).toEqual([]);
    // No interval, where there is one run.
    expect(reportOf(collection).rows[0]).toEqual(expect.arrayContaining(['8 =', '100']));
  });

  test('is no more of a copy of the records than of the records', () => {
    const lines = sweepLines(orders.slice(0, 2), 5);
    writeLines(folder, 'a.ndjson', lines);
    const before = conclusions(collect(folder));
    writeLines(folder, 'b.ndjson', lines);
    const { can, cannot } = conclusions(collect(folder));
    expect(can).toEqual(before.can);
    expect(collect(folder).records).toBe(10);
    expect(cannot).toContainEqual(
      expect.stringMatching(/b\.ndjson: 10 records are of runs that are there already/),
    );
  });

  test('of cells that nothing random is in is exact', () => {
    writeLines(folder, 'a.ndjson', [
      ...alike(120, 7, { plan: { order: 'address' } }),
      ...alike(90, 7, { plan: { order: 'lru' } }),
    ]);
    expect(conclusions(collect(folder)).can).toEqual([
      expect.stringMatching(
        /^Of cells 1, 2, whose runs do not differ, the shortest downtime is that of cell 2 \(order lru\): 90\.0 ms\.$/,
      ),
    ]);
  });

  test('is that a guest which was changed on its way has not been migrated, also by records of old', () => {
    const verified = { memory: 'not-checked', continued: 'different' };
    writeLines(folder, 'a.ndjson', [recordLine(100), recordLine(110, { seed: 2, verified })]);
    const collection = collect(folder);
    expect(collection.cells[0]).toMatchObject({ completed: [{ seed: 1 }] });
    expect(conclusions(collection).cannot[0]).toMatch(/^In cell 1 the guest was changed on its way/);
  });

  test('says where model and runs, and where the worlds, disagree', () => {
    const runs = (downtimeMs: number, more: object) =>
      Array.from({ length: 8 }, (_, i) => recordLine(downtimeMs + i, { ...more }));
    writeLines(folder, 'a.ndjson', [...runs(97, {}), ...runs(150, { world: 'threads' })]);
    const text = conclusions(collect(folder)).can.join('\n');
    expect(text).toMatch(/model's downtime lies outside the interval in 1 of 2 cells.*cell 2/);
    expect(text).toMatch(/The worlds disagree on cells 1 and 2/);
  });

  test('blames the machine where it did not run in most of the missed periods', () => {
    const servers = [{ name: 'sender', periods: 100, missedPeriods: 4, missedByMachine: 3 }];
    writeLines(
      folder,
      'a.ndjson',
      [1, 2, 3].map((i) => recordLine(i, { servers })),
    );
    expect(conclusions(collect(folder)).cannot.join()).toMatch(/In cell 1 the machine itself did not run/);
  });

  test('the front has the cells of which no other is better in both', () => {
    writeLines(
      folder,
      'a.ndjson',
      sweepLines([...orders, { settings: { 'migration.order': 'vee' }, downtimeMs: 250 }], 6),
    );
    const { cells } = collect(folder);
    // Here total falls as downtime rises, so that all lie on it; then one that is beaten in both joins them.
    expect(paretoFront(cells).map(({ number }) => number)).toEqual([2, 3, 1, 4]);
    const beaten = { ...cells[0]!, number: 9, totalS: { ...cells[0]!.totalS!, median: 99 } };
    expect(paretoFront([...cells, beaten]).map(({ number }) => number)).toEqual([2, 3, 1, 4]);
  });
});

describe('a report', () => {
  test('has the plots for which the records have something', () => {
    const grid = [2, 4].flatMap((budget) =>
      [10, 20, 40].map((period) => ({
        settings: { 'sender.reservation': { budget: `${budget}ms`, period: `${period}ms` } },
        downtimeMs: (100 * period) / budget,
      })),
    );
    writeLines(folder, 'a.ndjson', sweepLines(grid, 6));
    const { figures } = reportOf(collect(folder));
    expect(figures.map(({ name }) => name)).toEqual(['downtime', 'pareto', 'surface', 'predicted', 'rounds']);
    expect(figures[2]!.title).toMatch(/period P and the sender's budget Q$/);
    for (const { svg } of figures) expect(svg).toMatch(/^<svg[\s\S]*<\/svg>$/);
  });

  test('of nothing but failed migrations is still a report', () => {
    writeLines(
      folder,
      'a.ndjson',
      Array.from({ length: 7 }, (_, seed) => recordLine(0, { seed, outcome: 'not-converged', rounds: [] })),
    );
    const report = reportOf(collect(folder));
    expect(report.rows[0]).toContain('0 of 7');
    expect(report.conclusions.cannot.join()).toMatch(/Not every migration completed in cell 1/);
  });

  test('in CSV has a line a migration, and no field that a spreadsheet would run', () => {
    const hostile = { '=cmd|x': '=HYPERLINK("http://x","y")' };
    writeLines(folder, 'a.ndjson', sweepLines([{ settings: hostile, downtimeMs: 1 }, orders[0]!], 2));
    const lines = [...csvOf(collect(folder))];
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(/^cell,world,'=cmd\|x,migration\.order,seed,/);
    expect(lines[1]).toContain(`"'=HYPERLINK(""http://x"",""y"")"`);
  });

  test('in Markdown keeps names from being markup', () => {
    writeFileSync(
      join(folder, 'design.json'),
      JSON.stringify({ name: '[x](y) <b>', text: 'describe: "a\\n# b"', command: 'c' }),
    );
    writeLines(folder, 'a.ndjson', [recordLine(1)]);
    const text = markdownOf(reportOf(collect(folder)));
    expect(text).toContain('# \\[x\\](y) \\<b\\>');
    expect(text).toContain('a \\# b');
    expect(text).not.toMatch(/^# b/m);
  });
});
