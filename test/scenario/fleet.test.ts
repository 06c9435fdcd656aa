import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Experiment, loadExperiment } from '../../src/scenario/scenario.ts';

const MBIT = 125_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function experiment(link: string, rest = ''): Experiment {
  const file = join(folder, 'fleet.yaml');
  const guest = '{ pages: 400, program: { kind: classes, classes: [{ pages: 1, writesPerSecond: 0 }] } }';
  writeFileSync(file, `guest: ${guest}\nlink: ${link}\n${rest}`);
  return loadExperiment(file);
}

const problemsOf = (link: string, rest = '') => {
  try {
    experiment(link, rest);
    return [];
  } catch (cause) {
    // Below each problem, where it stands in the file.
    return (cause as Error).message.split('\n').filter((line) => !line.startsWith('  '));
  }
};

describe('a fleet', () => {
  test('has a cell for each member, with its own settings; those of a cell of the matrix run together', () => {
    const { cells } = experiment(
      '{ capacity: 100Mbit/s, rate: 20Mbit/s }',
      `fleet:
  - { count: 2, at: 1s, every: 100ms }
  - { name: urgent, priority: 3, deadline: 2s, set: { link.rate: 50Mbit/s } }
compare: { migration.order: [address, lru] }`,
    );
    const told = cells.map(({ guest, plan, fleet }) => [guest.name, plan.order, fleet]);
    expect(told).toEqual([
      ['guest-1', 'address', 0],
      ['guest-2', 'address', 0],
      ['urgent', 'address', 0],
      ['guest-1', 'lru', 1],
      ['guest-2', 'lru', 1],
      ['urgent', 'lru', 1],
    ]);
    expect(cells[1]!.share).toEqual({
      link: 'link',
      capacityBytesPerSecond: 100 * MBIT,
      changes: [],
      name: 'guest-2',
      atNs: 1.1e9,
      priority: 0,
      queueTimeoutNs: null,
      leastBytesPerSecond: 20 * MBIT,
    });
    const { share, plan } = cells[2]!;
    expect(share).toMatchObject({
      name: 'urgent',
      priority: 3,
      queueTimeoutNs: 2e9,
      leastBytesPerSecond: 50 * MBIT,
    });
    expect(plan.stopRateBytesPerSecond).toBe(50 * MBIT);
    expect(cells[2]!.settings).toEqual([
      { path: 'migration.order', value: 'address' },
      { path: 'fleet', value: 'urgent' },
    ]);
  });

  test('of nobody else is a link with a capacity; without one the link is not shared', () => {
    expect(experiment('{ capacity: 1Gbit/s, rate: 1Mbit/s }').cells[0]!.share).toMatchObject({
      name: 'guest',
    });
    expect(experiment('{ rate: 1Mbit/s }').cells[0]!.share).toBeNull();
  });

  test('asks for what the link can have', () => {
    expect(problemsOf('{ capacity: 1Mbit/s, rate: unlimited, stopRate: 2Mbit/s }')).toEqual([
      'link.stopRate: expected at most link.capacity, found 250000',
      'link.rate: expected at most link.capacity, found "unlimited"',
    ]);
    expect(problemsOf('{ capacity: 2Mbit/s, rate: 1Mbit/s, least: 2Mbit/s }')).toEqual([
      'link.least: expected at most the larger of link.rate and link.stopRate, found 250000',
    ]);
    expect(problemsOf('{ rate: 1Mbit/s, changes: [{ at: 1s, capacity: 1Mbit/s }] }')).toEqual([
      'link.capacity: expected a rate, where it changes, found nothing',
    ]);
  });

  test.each([
    'link',
    'link.capacity',
    'fleet',
    'seed',
  ])('a member does not set %s, which all share', (path) => {
    const found = problemsOf('{ capacity: 2Mbit/s, rate: 1Mbit/s }', `fleet: [{ set: { ${path}: 1 } }]`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^fleet\.0\.set: expected settings of this member alone/);
  });
});
