import { describe, expect, test } from 'vitest';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import { parseTarget } from '../../../src/scenario/target.ts';
import { contradiction } from '../../../src/study/plan/bound.ts';
import { guestProblem } from '../../../src/study/plan/guest-problem.ts';
import { planProblem } from '../../../src/study/plan/plan-problem.ts';
import type { Document } from './planned-documents.ts';
import { definedGuest, requested } from './planned-guest.ts';

const MBIT = 125_000;

function problemOf(
  guest: Document,
  asked: Document = {},
  target = 'downtime<=200ms',
  room: (most: Reservation) => Reservation = ({ budgetNs, periodNs }) => ({ budgetNs, periodNs }),
) {
  const host = { capacity: 100 * MBIT, capacityFrom: "link 'lan'", machine: undefined, room };
  return guestProblem({
    definition: definedGuest(guest),
    request: requested(asked),
    target: parseTarget(target)!,
    ...host,
  });
}

const works = { sender: { cpuPerPage: '20us' } };

describe('a guest that lives on a host', () => {
  test('is planned for with what link and host have left', () => {
    const part = { budgetNs: 3e6, periodNs: 10e6 };
    const asked: unknown[] = [];
    const problem = problemOf({}, works, 'downtime<=200ms', (most) => {
      asked.push(most);
      return part;
    });
    expect(asked).toEqual([{ budgetNs: 10e6, periodNs: 10e6, scheduler: 'cbs-hard' }]);
    expect(problem).toMatchObject({ senderMost: part, capacity: 100 * MBIT, capacityFrom: "link 'lan'" });
    expect(problem.cell.cpu.scheduler).toBe('cbs-hard');
  });

  test('leaves its sender a whole processor, since it has one of its own', () => {
    const reservation = { budget: '8ms', period: '10ms' };
    expect(problemOf({ reservation }, works).senderMost).toEqual({ budgetNs: 10e6, periodNs: 10e6 });
    expect(problemOf({ reservation }, works).keep).toEqual(new Set(['guest.reservation']));
  });

  test('has nothing reserved for a sender that needs no CPU time, or under a scheduler that keeps nothing', () => {
    expect(problemOf({}).senderMost).toBe(null);
    expect(problemOf({}).cell.cpu.scheduler).toBe('none');
    const fair = problemOf({}, { ...works, cpu: { scheduler: 'fair' } });
    expect([fair.senderMost, fair.cell.cpu.scheduler]).toEqual([null, 'fair']);
  });

  test('is refused where the host has no room for its sender, with the host’s own words', () => {
    const full = () => {
      throw new Error('none left');
    };
    expect(() => problemOf({}, works, 'downtime<=200ms', full)).toThrow('none left');
    expect(() => problemOf({}, {}, 'downtime<=200ms', full)).not.toThrow();
  });

  test('has the time-outs of its request, and otherwise one that follows from the link', () => {
    expect(problemOf({}).fixed).toEqual([{ path: 'migration.timeout', value: expect.stringMatching(/s$/) }]);
    expect(problemOf({}).stopTimeoutNs).toBe(null);
    const said = problemOf({}, { migration: { timeout: '40s', stopTimeout: '50ms' } });
    expect(said).toMatchObject({ fixed: [], stopTimeoutNs: 50e6 });
  });

  test('chooses of the same policies as a scenario of the same words', () => {
    const base = {
      guest: { pages: 400, program: { kind: 'sequential', pages: 20, writesPerSecond: 9 } },
      link: { rate: '100Mbit/s' },
    };
    const scenario = planProblem({
      scenario: { name: 'x', file: 'x', base, compare: null } as never,
      ...{ machine: undefined, target: parseTarget('downtime<=200ms')!, keep: new Set<string>() },
      cost: { cpu: 1, b: 1, bd: 0.2 },
    });
    expect(problemOf({}).policies).toEqual(scenario.policies);
  });

  test('is told the bound that proves that a target cannot be kept', () => {
    const boundOf = (...asked: Parameters<typeof problemOf>) => contradiction(problemOf(...asked));
    expect(boundOf({}, {}, 'total<=100ms')).toMatchObject({
      key: 'guest.pages',
      reason: expect.stringContaining('one copy of the memory, 1.57 MiB, needs'),
    });
    const cyclic = { kind: 'sequential', pages: 400, writesPerSecond: 9_000 };
    expect(boundOf({ program: cyclic }, {}, 'downtime<=20ms')).toMatchObject({ key: 'guest.program' });
    // Its sender shares nothing with it: what is left of the host bounds it alone.
    const fifth = () => ({ budgetNs: 2e6, periodNs: 10e6 });
    expect(boundOf({}, { sender: { cpuPerPage: '1ms' } }, 'total<=1s', fifth)).toMatchObject({
      key: 'sender.cpuPerPage',
      reason: expect.stringContaining('with 0.20 of a processor'),
    });
  });
});
