import { expect, test } from 'vitest';
import { predict } from '../../src/run/predict.ts';
import { predictions } from '../../src/run/predictions.ts';
import { experimentOf, scenarioOf } from '../../src/scenario/scenario.ts';
import { compared } from './prediction/agreement.ts';

function cellsOf(document: Readonly<Record<string, unknown>>) {
  return experimentOf(scenarioOf(document, { name: 'held' })).cells;
}

/** Its rounds go on because one page is always dirty again; on average that is less than a page. */
const ofOnePage = {
  guest: {
    pages: 39,
    program: {
      kind: 'classes',
      classes: [
        { pages: 2, writesPerSecond: 0.0737 },
        { pages: 14, writesPerSecond: 0.00057 },
      ],
    },
  },
  link: { rate: '24254B/s', stopRate: '19101B/s', depth: '8224B' },
  migration: {
    order: 'random',
    heat: 'estimated',
    timeout: '49s',
    stop: { rule: 'proxmox-doubling', limit: '21656us', polls: 3, poll: '487ms', nearPoll: '48715us' },
  },
  background: [{ kind: 'slow-destination', rate: '16694B/s' }],
};

test('where migrations in virtual time contradict the model, the answer is theirs, and says so', () => {
  const [cell] = cellsOf(ofOnePage);
  expect(predict(cell!).course.converges).toBe(true);
  const [prediction] = predictions([cell!]);
  expect(prediction!.course).toMatchObject({ converges: false, downtimeNs: null });
  expect(prediction!.course.reason).toContain('migration.timeout');
  expect(prediction!.assumes[0]).toMatch(/^\d+ of 21 migrations in virtual time converge/);
  expect(prediction!.requiredStopRateBytesPerSecond(100e6, 0.99)).toBeNull();
});

test('where none contradicts it, the answer is that of the model', () => {
  const program = { kind: 'classes', classes: [{ pages: 100, writesPerSecond: 1 }] };
  const link = { rate: '100Mbit/s' };
  const plain = { guest: { pages: 512, program }, link, migration: { stop: { rule: 'rounds', rounds: 3 } } };
  const [cell] = cellsOf(plain);
  expect(predictions([cell!])[0]!.course).toEqual(predict(cell!).course);
});

test('guests that share a link are held against migrations over that link', () => {
  const shared = {
    ...ofOnePage,
    link: { ...ofOnePage.link, capacity: '60kB/s' },
    fleet: [{ count: 2, every: '1s' }],
  };
  const seen = compared(shared);
  expect(seen.map(({ agrees }) => agrees)).toEqual([true, true]);
  expect(seen.map(({ cell }) => predict(cell).course.converges)).toEqual([true, true]);
  expect(seen.map(({ prediction }) => prediction.course.converges)).toEqual([false, false]);
});

test('no migration is carried out of a guest for which that takes long', () => {
  const huge = {
    guest: { memory: '1TiB', program: { kind: 'saturating', workingSet: '2GiB', dirtyRate: '300MB/s' } },
    link: { rate: '100Gbit/s' },
    migration: { stop: { rule: 'downtime', limit: '300ms' } },
  };
  const [cell] = cellsOf(huge);
  expect(predictions([cell!])[0]!.course).toEqual(predict(cell!).course);
});
