import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/platform/problem.ts';
import {
  cellsToCheck,
  type Design,
  loadDesign,
  runsMax,
  seedOf,
  settingsOf,
} from '../../../src/study/sweep/design.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = `
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
`;

function design(text: string): Design {
  const file = join(folder, 'design.yaml');
  writeFileSync(file, small + text);
  return loadDesign(file, [], 'virtual');
}

function problems(text: string): string {
  try {
    design(text);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.message;
    throw cause;
  }
  return 'none';
}

const cellsOf = (of: Design) =>
  Array.from({ length: of.cells }, (_, cell) =>
    Object.fromEntries(settingsOf(of, cell).map(({ path, value }) => [path, value])),
  );

describe('a design', () => {
  test('is every combination of lists and ranges, the last changing fastest', () => {
    const of = design(`
compare: { migration.order: [address, lru] }
sweep: { grid: { link.stopRate: { from: 10Mbit/s, to: 1Gbit/s, steps: 3, scale: log } } }
`);
    expect(cellsOf(of)).toEqual(
      ['address', 'lru'].flatMap((order) =>
        ['10Mbit/s', '100Mbit/s', '1000Mbit/s'].map((rate) => ({
          'migration.order': order,
          'link.stopRate': rate,
        })),
      ),
    );
  });

  test('of a compare matrix alone has the cells and seeds that run gives them', () => {
    const of = design('compare: { migration.stop.rounds: [1, 2, 3] }\nruns: 4\nseed: 7\n');
    expect(of.cells).toBe(3);
    for (const cell of [0, 2]) {
      expect([1, 2, 3, 4].map((repetition) => seedOf(of, { cell, repetition }))).toEqual([7, 8, 9, 10]);
    }
  });

  test('takes the points of a list as they are, settings and all', () => {
    const of = design(`
sweep:
  list:
    - { migration.order: lru, migration.stop.rounds: 2 }
    - { migration.order: address }
`);
    expect(cellsOf(of)).toEqual([
      { 'migration.order': 'lru', 'migration.stop.rounds': 2 },
      { 'migration.order': 'address' },
    ]);
  });

  test('by hypercube has one point in every n-th of every range, the same for the same seed', () => {
    const text = (seed: number) => `
seed: ${seed}
sweep:
  hypercube:
    points: 50
    over:
      link.stopRate: { from: 10Mbit/s, to: 20Mbit/s }
      migration.defer.threshold: { from: 0, to: 1 }
      migration.stop.rounds: [1, 2, 3, 4, 5]
`;
    const cells = cellsOf(design(text(3)));
    const strata = (path: string, share: (value: string) => number) =>
      cells.map((cell) => Math.floor(50 * share(String(cell[path])))).sort((a, b) => a - b);
    const all = Array.from({ length: 50 }, (_, index) => index);
    expect(strata('link.stopRate', (value) => (Number.parseFloat(value) - 10) / 10)).toEqual(all);
    expect(strata('migration.defer.threshold', Number)).toEqual(all);
    for (const rounds of [1, 2, 3, 4, 5]) {
      expect(cells.filter((cell) => cell['migration.stop.rounds'] === rounds)).toHaveLength(10);
    }
    expect(cellsOf(design(text(3)))).toEqual(cells);
    expect(cellsOf(design(text(4)))).not.toEqual(cells);
  });

  test('gives alternatives the same luck, but every point of a hypercube its own', () => {
    const of = design(`
runs: 3
sweep:
  grid: { migration.order: [address, lru] }
  hypercube: { points: 4, over: { link.stopRate: { from: 10Mbit/s, to: 20Mbit/s } } }
`);
    const seeds = Array.from({ length: of.cells }, (_, cell) =>
      [1, 2, 3].map((repetition) => seedOf(of, { cell, repetition })),
    );
    expect(seeds.slice(0, 4)).toEqual(seeds.slice(4));
    expect(new Set(seeds.slice(0, 4).flat()).size).toBe(4 * runsMax(of));
  });
});

describe('a bad design is refused', () => {
  test.each([
    [
      'an unknown path',
      'sweep: { grid: { link.colour: [red, blue] } }',
      /link\.colour: expected no such key/,
    ],
    ['an unknown key', 'sweep: { grit: {} }', /sweep\.grit: expected no such key/],
    [
      'an empty list',
      'sweep: { grid: { migration.order: [] } }',
      /sweep\.grid\.migration\.order: expected a list of at/,
    ],
    [
      'an empty range',
      'sweep: { grid: { link.stopRate: { from: 20Mbit/s, to: 20Mbit/s, steps: 3 } } }',
      /sweep\.grid\.link\.stopRate: expected to: more than from, 20Mbit\/s/,
    ],
    [
      'a range of two kinds',
      'sweep: { hypercube: { points: 3, over: { link.stopRate: { from: 20Mbit/s, to: 3ms } } } }',
      /sweep\.hypercube\.over\.link\.stopRate: expected to: of the same kind as from/,
    ],
    [
      'a range in a grid without steps',
      'sweep: { grid: { link.stopRate: { from: 1Mbit/s, to: 2Mbit/s } } }',
      /sweep\.grid\.link\.stopRate\.steps: expected a whole number/,
    ],
    [
      'a trillion cells',
      `sweep: { grid: { ${[1, 2, 3, 4].map((n) => `migration.p${n}: { from: 1, to: 2, steps: 1000 }`).join(', ')} } }`,
      /sweep: expected at most 100000000 runs, found 1000000000000 cells × 1 runs/,
    ],
    ['what all cells share', 'sweep: { list: [ { migration.order: lru, seed: 3 } ] }', /seed/],
    ['no runs', 'runs: 0', /runs: expected a whole number from 1/],
    [
      'a link without a rate in virtual time',
      'sweep: { grid: { link.rate: [unlimited] } }',
      /link\.rate: expected a rate, or a sender\.cpuPerPage, in virtual time/,
    ],
  ])('%s', (_, text, message) => {
    expect(problems(text)).toMatch(message);
  });

  test('of very many cells is looked at in every alternative of every axis, and at random', () => {
    const axes = [10_000, 2, 5].map((length) =>
      Array.from({ length }, (_, index) => [{ path: 'x', value: index }]),
    );
    const cells = [...cellsToCheck({ axes, cells: 100_000 })];
    expect(Math.max(...cells)).toBeLessThan(100_000);
    const seen = (of: (cell: number) => number) => new Set(cells.map(of)).size;
    expect(seen((cell) => cell % 5)).toBe(5);
    expect(seen((cell) => Math.floor(cell / 5) % 2)).toBe(2);
    expect(seen((cell) => Math.floor(cell / 10))).toBe(10_000);
    expect(seen((cell) => cell)).toBeGreaterThan(15_000);
    expect([...cellsToCheck({ axes: axes.slice(1), cells: 10 })]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('with all that is wrong at once, in whichever cell it is', () => {
    const said = problems(`
sweep:
  grid:
    link.stopRate: [10Mbit/s, fast]
    migration.stop.rounds: [1, -1]
`);
    expect(said).toMatch(/link\.stopRate: expected a rate .*, found "fast"/);
    expect(said).toMatch(/migration\.stop.*found/);
  });
});
