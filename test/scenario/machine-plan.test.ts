import { expect, test } from 'vitest';
import { machinePlan } from '../../src/scenario/machine-plan.ts';
import { scenarioOf } from '../../src/scenario/scenario.ts';

const machine = { name: 'machine', pages: 65_536 };

function planOf(migration: object, more: object = {}) {
  const base = { link: { rate: '1Gbit/s' }, migration, ...more };
  return machinePlan(scenarioOf(base, { name: 'mine' }), machine, 2);
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

test('CPU time is reserved by the kernel only, on the processors of the host', () => {
  const reservation = { budget: '5ms', period: '10ms' };
  const { cpu } = planOf({}, { guest: { reservation }, sender: { reservation } });
  expect(cpu).toMatchObject({
    ...{ scheduler: 'deadline', processors: 2 },
    guest: { budgetNs: 5e6, periodNs: 10e6 },
    sender: { budgetNs: 5e6, periodNs: 10e6 },
  });
  expect(() =>
    planOf({}, { sender: { reservation }, cpu: { scheduler: 'cbs-hard', reclaim: true } }),
  ).toThrow(/cpu\.scheduler: expected deadline.*\n.*cpu\.reclaim: expected false/);
  expect(planOf({}, { cpu: { scheduler: 'fair' } }).cpu.guest).toBeNull();
});
