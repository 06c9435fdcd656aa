import { expect, test } from 'vitest';
import { machinePlan } from '../../src/scenario/machine-plan.ts';
import { scenarioOf } from '../../src/scenario/scenario.ts';

const machine = { name: 'machine', pages: 65_536 };

function planOf(migration: object) {
  return machinePlan(scenarioOf({ link: { rate: '1Gbit/s' }, migration }, { name: 'mine' }), machine);
}

test('a plan for a machine of somebody else is that of the scenario, for as many pages as the machine has', () => {
  const { plan, guest } = planOf({
    order: 'lru',
    stop: { rule: 'rounds', rounds: 2 },
    defer: { count: 100 },
  });
  expect(guest).toMatchObject({ name: 'machine', pages: 65_536 });
  expect(plan).toMatchObject({ pages: 65_536, order: 'lru', rateBytesPerSecond: 125e6 });
});

test('pages can be held back only where it is known which round is the last one', () => {
  const defer = { count: 100 };
  expect(() => planOf({ defer, stop: { rule: 'downtime', limit: '300ms' } })).toThrow(
    /^migration\.defer: expected nothing/,
  );
  expect(planOf({ stop: { rule: 'downtime', limit: '300ms' } }).plan.stop.rule).toBe('downtime');
});

test('what such a machine cannot do is refused, all of it at once', () => {
  const asked = { clear: 'round', heat: 'known' };
  expect(() => planOf(asked)).toThrow(
    /migration\.clear: expected page.*\n.*migration\.heat: expected estimated/,
  );
});
