import { expect, test } from 'vitest';
import { modelNotes } from '../../../src/study/tables/model-notes.ts';

const figures = { downtimeNs: 1e6, downtimeP99Ns: 2e6, totalNs: 1e9 };

test('rows of which the same is to be said have one line', () => {
  const predicted = { ...figures, assumes: ['write rates are known'], leftOut: ['cpu.reclaim'] };
  const rows = [
    { values: ['lru'], predicted },
    { values: ['random'], predicted },
    { values: ['none'], predicted: null },
  ];
  expect(modelNotes(rows)).toEqual([
    'model: expected downtime by the formulas; assuming: write rates are known; left out: cpu.reclaim.',
  ]);
});

test('a row of which something else is to be said is named', () => {
  expect(
    modelNotes([
      { values: ['address'], predicted: { ...figures, assumes: [], leftOut: [] } },
      { values: ['lru'], predicted: { ...figures, assumes: ['write rates are known'], leftOut: [] } },
    ]),
  ).toEqual(['model: expected downtime by the formulas.', 'model (lru); assuming: write rates are known.']);
});

test('a table without a figure of the model has no note', () => {
  expect(modelNotes([{ values: [], predicted: null }])).toEqual([]);
});
