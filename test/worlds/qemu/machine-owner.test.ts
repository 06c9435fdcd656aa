import { expect, test } from 'vitest';
import { ownerOf } from '../../../src/worlds/qemu/machine-owner.ts';

const entries = ['begun', 'handing over', 'handed over'] as const;
const words = ['given away', 'given to another', 'kept', 'gone'] as const;

test('a machine that its source runs, or may run again, is never its destination’s', () => {
  expect(entries.map((entry) => ownerOf(entry, 'kept'))).toEqual(['source', 'source', 'source']);
});

test('a machine whose source was not told to give it away is not its destination’s', () => {
  for (const word of words) expect(ownerOf('begun', word)).toBe('source');
});

test('a machine that its source has given away is its destination’s', () => {
  expect(
    ['handing over', 'handed over'].map((entry) => ownerOf(entry as 'handing over', 'given away')),
  ).toEqual(['destination', 'destination']);
});

test('of a source that has ended, only what it had said counts', () => {
  expect(entries.map((entry) => ownerOf(entry, 'gone'))).toEqual(['source', 'undecided', 'destination']);
});

test('a machine that was given away by another migration than the one written down is left to its user', () => {
  expect(entries.map((entry) => ownerOf(entry, 'given to another'))).toEqual([
    'source',
    'undecided',
    'undecided',
  ]);
});
