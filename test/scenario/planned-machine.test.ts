import { describe, expect, test } from 'vitest';
import { plannedMachine, withoutCapacity } from '../../src/scenario/planned-machine.ts';
import { cellsOf, scenarioOf } from '../../src/scenario/scenario.ts';
import { combinationsOf } from '../../src/scenario/settings.ts';

const found = { guest: { pages: 100, program: { kind: 'sequential', writesPerSecond: 1 } } };

function planned(document: Record<string, unknown>) {
  const scenario = plannedMachine(scenarioOf(document, { name: 'x', file: undefined }), found);
  const matrix = combinationsOf(scenario.compare);
  return { matrix, cell: cellsOf(scenario, matrix[0]!)[0]! };
}

describe('a machine of somebody else, as virtual time moves it', () => {
  const link = { capacity: '1Gbit/s', rate: '100Mbit/s' };

  test('is the guest, with a page as long as in the stream of QEMU, and devices in its stop', () => {
    const { cell } = planned({ link, guest: { pages: 7, program: { kind: 'zipf', writesPerSecond: 9 } } });
    expect(cell.guest).toMatchObject({ pages: 100, program: { kind: 'sequential' } });
    expect(cell.plan).toMatchObject({ pageBytes: 4104, device: { stateBytes: 65_536, timeNs: 15e6 } });
    expect(cell.plan.clear).toBe('round');
  });

  test('has the devices that the scenario says', () => {
    const { cell } = planned({ link, guest: { device: { state: '2MiB', time: '1ms' } } });
    expect(cell.plan.device).toMatchObject({ stateBytes: 2 ** 21, timeNs: 1e6 });
  });

  test('leaves only what is not said to be chosen', () => {
    const paths = (document: Record<string, unknown>) =>
      planned({ link, ...document }).matrix[0]!.map(({ path }) => path);
    expect(paths({})).toEqual(['migration.stop', 'migration.order']);
    expect(paths({ migration: { order: 'lru' } })).toEqual(['migration.stop']);
    const stop = { rule: 'rounds', rounds: 2 };
    expect(paths({ migration: { order: 'lru', stop } })).toEqual([]);
  });

  test('is refused what is refused of its move, but for the capacity, which the plan keeps within', () => {
    expect(() => planned({ link, sender: { reservation: { budget: '1ms', period: '9ms' } } })).toThrow(
      'sender.reservation',
    );
    const moved = withoutCapacity(scenarioOf({ link }, { name: 'x', file: undefined }));
    expect(moved.base.link).toEqual({ rate: '100Mbit/s' });
  });
});
