import { expect, test } from 'vitest';
import {
  type ComparedMove,
  comparedFigure,
  comparedSection,
  comparedTable,
  methods,
  missingMoves,
} from '../../bench/compared-moves.ts';

/** Each method twice, 30 ms longer the second time; a method takes 10 ms longer than the one before it. */
const moves: readonly ComparedMove[] = [1_000, 16_000].flatMap((writesPerSecond) =>
  [0, 30].flatMap((laterMs) =>
    methods.map((method, place) => ({
      ...{ writesPerSecond, method, pagesLeft: 100 * (place + 1) },
      ...{ downtimeNs: (100 + 10 * place + laterMs) * 1e6, totalNs: 2.5e9 },
    })),
  ),
);

test('the table has a row for each writer and method, with medians and their range', () => {
  const rows = comparedTable(moves).split('\n').slice(2);
  expect(rows).toHaveLength(2 * methods.length);
  expect(rows[0]).toBe(
    '| 1000 | threshold, hot pages held back | 2 | 100 [100–100]* | 115 [100–130]* | 2.50 [2.50–2.50]* |',
  );
  expect(rows.at(-1)).toMatch(/^\| 16000 \| QEMU alone \| 2 \| 500 .*\| 155 \[140–170\]\* \|/);
});

test('ten moves have an interval of 95 %', () => {
  const ten = Array.from({ length: 10 }, (_, run) => ({ ...moves[0]!, downtimeNs: (run + 1) * 10e6 }));
  expect(comparedTable(ten)).toContain('| 55.0 [20.0–90.0] |');
});

test('the section has the table, and below it the picture', () => {
  const section = comparedSection(moves);
  expect(section.startsWith(comparedTable(moves))).toBe(true);
  expect(section).toMatch(/\n\n!\[.+\]\(your-vm-orders\.svg\)$/);
});

test('the picture has a dot for every move, a panel for each writer, and the medians in words', () => {
  const svg = comparedFigure(moves);
  expect(svg.match(/<circle/g)).toHaveLength(moves.length);
  for (const text of ['1000 writes a second', '16000 writes a second', 'QEMU alone', '155 ms'])
    expect(svg).toContain(text);
});

test('methods that are close are drawn on a linear axis, and one that is far off on a logarithmic one', () => {
  expect(comparedFigure(moves)).not.toContain('logarithmic');
  const far = { ...moves[0]!, downtimeNs: 5e6 };
  expect(comparedFigure([...moves, far])).toContain('downtime, ms, logarithmic →');
});

test('what is missing is measured in turns, and only that', () => {
  expect(missingMoves([], 1_000, 2)).toEqual([...methods, ...methods]);
  expect(missingMoves(moves, 1_000, 2)).toEqual([]);
  const broken = moves.slice(0, methods.length + 2);
  expect(missingMoves(broken, 1_000, 2)).toEqual(methods.slice(2));
  expect(missingMoves(broken, 16_000, 1)).toEqual(methods);
});
