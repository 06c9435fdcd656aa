import { expect, test } from 'vitest';
import type { CheckedPlan } from '../../bench/planned-check.ts';
import { plannedScenarios } from '../../bench/planned-scenarios.ts';
import { plannedTable } from '../../bench/planned-table.ts';

const plan = (name: string, cpuSeconds: number, of: Partial<CheckedPlan> = {}): CheckedPlan => ({
  ...{ name, target: 'downtime<=200ms@0.95', cpuSeconds, seconds: 1, load: 0, migrations: 100 },
  ...{ reason: null, settings: [], certified: 86 },
  clauses: [{ kept: 198, atLeast: 0.969, asked: 0.95 }],
  cuts: [{ path: 'link.rate', kept: 0, isMissed: true, incomplete: 200, floor: null }],
  ...of,
});

test('the table counts what was planned, kept, and missed when cut, by guest and in all', () => {
  const still = { path: 'link.stopRate', kept: 197, isMissed: false, incomplete: 0 } as const;
  const rows = [
    plan('slides 400ms', 4),
    plan('slides 200ms', 9, { clauses: [{ kept: 185, atLeast: 0.887, asked: 0.95 }] }),
    plan('zipf 100ms', 30, { cuts: [{ ...still, floor: null }] }),
    plan('zipf 60ms', 20, { cuts: [{ ...still, floor: 'one page within the limit' }] }),
    plan('zipf 30ms', 40, { reason: 'none', clauses: [], cuts: [] }),
  ];
  expect(plannedTable(rows).split('\n').slice(2)).toEqual([
    '| slides | 2 | 2 | 1 | 2 | 9 s, 9 s |',
    '| zipf | 3 | 2 | 2 | 1 | 30 s, 40 s |',
    '| all | 5 | 4 | 3 | 3 | 20 s, 40 s |',
  ]);
});

test('there are forty scenarios, of three recordings, two imports and five programs, each with a name of its own', () => {
  expect(new Set(plannedScenarios.map(({ name }) => name)).size).toBe(40);
  expect(new Set(plannedScenarios.map(({ name }) => name.split(' ')[0])).size).toBe(10);
  expect(plannedScenarios.filter(({ target }) => target.includes('total'))).toHaveLength(10);
});
