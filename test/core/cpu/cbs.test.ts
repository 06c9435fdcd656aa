import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CbsRule,
  cbsRules,
  charge,
  idleServer,
  replenish,
  type Server,
  sleep,
  wake,
} from '../../../src/core/cpu/cbs.ts';

/** A server (4, 10) at rest with this budget and deadline. */
function rested(remainingNs: number, deadlineNs: number): Server {
  return { budgetNs: 4, periodNs: 10, remainingNs, deadlineNs, phase: 'idle' };
}

function woken(rule: CbsRule, server: Server, now: number): Server {
  wake(rule, server, now);
  return server;
}

describe('work that arrives at a server at rest', () => {
  test.each(cbsRules)('%s: sets budget and deadline the first time', (rule) => {
    const server = idleServer({ budgetNs: 4, periodNs: 10 });
    expect(woken(rule, server, 7)).toMatchObject({ remainingNs: 4, deadlineNs: 17, phase: 'ready' });
  });

  test.each(cbsRules)('%s: keeps both while using up c by d stays within the share', (rule) => {
    expect(woken(rule, rested(1, 10), 7)).toMatchObject({ remainingNs: 1, deadlineNs: 10 });
    expect(woken(rule, rested(2, 10), 6)).toMatchObject({ remainingNs: 4, deadlineNs: 16 });
  });

  test('that c by d is exactly the share is too much for Abeni & Buttazzo, and not for Linux', () => {
    expect(woken('soft', rested(2, 10), 5)).toMatchObject({ remainingNs: 4, deadlineNs: 15 });
    expect(woken('hard', rested(2, 10), 5)).toMatchObject({ remainingNs: 4, deadlineNs: 15 });
    expect(woken('linux', rested(2, 10), 5)).toMatchObject({ remainingNs: 2, deadlineNs: 10 });
  });

  test('with no budget left: soft takes the next one, hard and linux wait for the deadline', () => {
    expect(woken('soft', rested(0, 10), 5)).toMatchObject({ remainingNs: 4, deadlineNs: 20, phase: 'ready' });
    for (const rule of ['hard', 'linux'] as const) {
      expect(woken(rule, rested(0, 10), 5)).toMatchObject({
        remainingNs: 0,
        deadlineNs: 10,
        phase: 'throttled',
      });
    }
  });

  test.each(cbsRules)('%s: with no budget left, at the deadline and after it, sets both anew', (rule) => {
    expect(woken(rule, rested(0, 10), 10)).toMatchObject({ remainingNs: 4, deadlineNs: 20, phase: 'ready' });
    expect(woken(rule, rested(0, 10), 13)).toMatchObject({ remainingNs: 4, deadlineNs: 23, phase: 'ready' });
  });

  test('with a debt, after the deadline: Linux forgets it, the others do not', () => {
    expect(woken('linux', rested(-5, 10), 12)).toMatchObject({
      remainingNs: 4,
      deadlineNs: 22,
      phase: 'ready',
    });
    expect(woken('hard', rested(-5, 10), 12)).toMatchObject({
      remainingNs: -1,
      deadlineNs: 20,
      phase: 'throttled',
    });
    expect(woken('soft', rested(-5, 10), 12)).toMatchObject({
      remainingNs: 3,
      deadlineNs: 30,
      phase: 'ready',
    });
  });

  test('compares exactly where doubles cannot, and takes fractions where they are', () => {
    const second = { budgetNs: 333_333_333, periodNs: 1_000_000_001 };
    const almost = (remainingNs: number, deadlineNs: number): Server => {
      return { ...second, remainingNs, deadlineNs, phase: 'idle' };
    };
    // c·P − d·Q is 0, −1 and +1 at time 0, where doubles are 32 apart.
    expect(woken('hard', almost(333_333_333, 1_000_000_001), 0).deadlineNs).toBe(1_000_000_001);
    expect(woken('linux', almost(166_666_666, 499_999_999), 0).remainingNs).toBe(166_666_666);
    expect(woken('hard', almost(166_666_666, 499_999_999), 0).remainingNs).toBe(166_666_666);
    expect(woken('linux', almost(166_666_667, 500_000_002), 0).remainingNs).toBe(333_333_333);
    expect(woken('hard', almost(333_333_332.95, 1_000_000_001), 0.25).remainingNs).toBe(333_333_333);
    expect(woken('hard', almost(333_333_332.5, 1_000_000_001), 0.25).remainingNs).toBe(333_333_332.5);
  });
});

describe('a budget used up', () => {
  test('soft: the next one at once, due a period later', () => {
    const server = woken('soft', rested(0, 0), 0);
    charge('soft', server, 4, 4);
    expect(server).toMatchObject({ remainingNs: 4, deadlineNs: 20, phase: 'ready' });
  });

  test.each(['hard', 'linux'] as const)('%s: waits for the deadline', (rule) => {
    const server = woken(rule, rested(0, 0), 0);
    charge(rule, server, 3, 3);
    expect(server).toMatchObject({ remainingNs: 1, phase: 'ready' });
    charge(rule, server, 1, 4);
    expect(server).toMatchObject({ remainingNs: 0, deadlineNs: 10, phase: 'throttled' });
    replenish(rule, server, 10);
    expect(server).toMatchObject({ remainingNs: 4, deadlineNs: 20, phase: 'ready' });
  });

  test('a debt is paid from the next budgets: hard period by period, linux and soft at once', () => {
    const debtor = (rule: CbsRule) => {
      const server = woken(rule, rested(0, 0), 0);
      charge(rule, server, 9, 9);
      return server;
    };
    expect(debtor('soft')).toMatchObject({ remainingNs: 3, deadlineNs: 30, phase: 'ready' });
    const [hard, linux] = [debtor('hard'), debtor('linux')];
    expect([hard.remainingNs, linux.remainingNs]).toEqual([-5, -5]);
    replenish('hard', hard, 10);
    expect(hard).toMatchObject({ remainingNs: -1, deadlineNs: 20, phase: 'throttled' });
    replenish('hard', hard, 20);
    expect(hard).toMatchObject({ remainingNs: 3, deadlineNs: 30, phase: 'ready' });
    replenish('linux', linux, 10);
    expect(linux).toMatchObject({ remainingNs: 3, deadlineNs: 30, phase: 'ready' });
  });

  test('after its deadline, because it was served too late: the next one at once', () => {
    const server = woken('hard', rested(0, 0), 0);
    charge('hard', server, 4, 12);
    expect(server).toMatchObject({ remainingNs: 4, deadlineNs: 20, phase: 'ready' });
  });

  test.each(cbsRules)('%s: just as the work is done: it sleeps with none', (rule) => {
    const server = woken(rule, rested(0, 0), 0);
    sleep(server);
    charge(rule, server, 4, 4);
    expect(server).toMatchObject({ remainingNs: 0, deadlineNs: 10, phase: 'idle' });
  });
});

describe('whatever happens to a server', () => {
  const times = fc.oneof(fc.nat(30), fc.double({ min: 0, max: 30, noNaN: true }));
  const events = fc.array(
    fc.record({ pauseNs: times, ranShare: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
  );
  const reservations = fc
    .integer({ min: 1, max: 20 })
    .chain((periodNs) =>
      fc.record({ periodNs: fc.constant(periodNs), budgetNs: fc.integer({ min: 1, max: periodNs }) }),
    );

  /** It works, sleeps and is replenished as its phase has it, sometimes stopped too late; told after every change. */
  function live(
    rule: CbsRule,
    server: Server,
    pauses: Iterable<{ pauseNs: number; ranShare: number }>,
    seen: () => void,
  ) {
    let now = 0;
    for (const { pauseNs, ranShare } of pauses) {
      if (server.phase === 'idle') {
        now += pauseNs;
        wake(rule, server, now);
      } else if (server.phase === 'throttled') {
        now = Math.max(now, server.deadlineNs);
        replenish(rule, server, now);
      } else {
        const ranNs = ranShare * server.remainingNs;
        now += ranNs;
        if (pauseNs > 15) sleep(server);
        charge(rule, server, ranNs, now);
      }
      seen();
    }
  }

  test.each(cbsRules)('%s: its budget is never above Q, and its deadline never moves back', (rule) => {
    fc.assert(
      fc.property(reservations, events, (reservation, pauses) => {
        const server = idleServer(reservation);
        let before = Number.NEGATIVE_INFINITY;
        live(rule, server, pauses, () => {
          expect(server.remainingNs).toBeLessThanOrEqual(reservation.budgetNs);
          expect(server.deadlineNs).toBeGreaterThanOrEqual(before);
          before = server.deadlineNs;
        });
      }),
    );
  });
});
