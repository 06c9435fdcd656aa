import { describe, expect, test } from 'vitest';
import { predict } from '../../../src/run/predict.ts';
import { experimentOf, scenarioOf } from '../../../src/scenario/scenario.ts';

const guest = { pages: 500, program: { kind: 'classes', classes: [{ pages: 50, writesPerSecond: 5 }] } };
const plain = { guest, link: { rate: '10Mbit/s' }, migration: { order: 'address' } };

function said(document: Readonly<Record<string, unknown>>) {
  const { assumes, leftOut } = predict(experimentOf(scenarioOf(document, { name: 'here' })).cells[0]!);
  return { assumes, leftOut };
}

describe('what a prediction says of itself', () => {
  test('is nothing where all of the scenario is in it', () => {
    expect(said(plain)).toEqual({ assumes: [], leftOut: [] });
  });

  test.each([
    ['memory-hog', { background: [{ kind: 'memory-hog' }] }],
    ['timer-noise', { background: [{ kind: 'timer-noise', mean: '1ms' }] }],
    ['fleet', { link: { rate: '10Mbit/s', capacity: '15Mbit/s' }, fleet: [{ count: 2 }] }],
    [
      'link.changes',
      { link: { rate: '10Mbit/s', capacity: '15Mbit/s', changes: [{ at: '1s', capacity: '5Mbit/s' }] } },
    ],
    ['migration.verify', { migration: { order: 'address', verify: 'full' } }],
    ['vm.delta', { vm: { delta: true } }],
    ['qemu.multifd', { qemu: { multifd: 2 } }],
  ])('names %s, on which its figures do not depend', (key, changed) => {
    expect(said({ ...plain, ...changed }).leftOut.join()).toContain(key);
  });

  test.each([
    ['drops of the link', { background: [{ kind: 'link-drop', every: '1s', length: '100ms' }] }],
    ['bursts', { background: [{ kind: 'guest-burst', every: '1s', length: '100ms', factor: 3 }] }],
    ['write rates', { migration: { order: 'lru' } }],
  ])('says how %s are simplified', (what, changed) => {
    expect(said({ ...plain, ...changed }).assumes.join()).toContain(what);
  });
});
