import { expect, test } from 'vitest';
import { idleLink } from '../../../../src/core/link/account.ts';
import { DirtyCount } from '../../../../src/core/migration/asked/dirty-count.ts';
import { migrate } from '../../../../src/core/migration/migrate.ts';
import type { Plan } from '../../../../src/core/migration/plan.ts';
import type { Step, StepResult } from '../../../../src/core/migration/steps.ts';

const plan: Plan = {
  ...{
    pages: 100,
    pageBytes: 4104,
    order: 'address',
    heat: 'estimated',
    defer: null,
    clear: 'page',
    skip: false,
  },
  ...{ stop: { rule: 'rounds', rounds: 2 }, timeoutNs: null, stopTimeoutNs: 1e9, depthBytes: 65_536 },
  ...{ rateBytesPerSecond: 1e6, stopRateBytesPerSecond: 1e6, observeNs: 0, windowNs: 40e6, halfLifeNs: 8e9 },
  ...{ verify: 'checksums', seed: 1 },
};

const measurements = {
  ...{ outage: null, servers: [], link: idleLink(65_536), notes: [] },
  verified: { memory: 'not-checked', continued: 'not-checked' } as const,
};

/** A source that says how many pages are dirty, 100, then 30, then 7, and sends those that are asked for and dirty. */
function* numbers(): Generator<StepResult, void, Step> {
  let now = 0;
  const dirtyPages = [100, 30, 7];
  let sent = 0;
  let step = yield { kind: 'dirty', now, dirty: new DirtyCount(100) as never, windowNs: 0 };
  for (;;) {
    now += 1e6;
    if (step.kind === 'send') {
      const sentPages = dirtyPages[sent++]!;
      const cleanPages = step.pages.length - sentPages;
      step = yield { kind: 'sent', now, sentPages, cleanPages, zeroPages: 0, bytes: sentPages * 4104 };
    } else if (step.kind === 'hand over') {
      const instants = { readyAtNs: now, verifiedAtNs: now, committedAtNs: now, runningAtNs: now };
      yield { kind: 'handed over', now, ...instants, measurements };
      return;
    } else {
      step = yield { kind: 'dirty', now, dirty: new DirtyCount(dirtyPages[sent] ?? 0) as never, windowNs: 0 };
    }
  }
}

function steps(changed: Partial<Plan> = {}) {
  const source = numbers();
  const migration = migrate({ ...plan, ...changed });
  const seen: Step[] = [];
  let next = migration.next();
  let answer = source.next();
  while (!next.done) {
    seen.push(next.value);
    next = migration.next(answer.value as StepResult);
    if (!next.done) answer = source.next(next.value);
  }
  return { seen, result: next.value };
}

test('where only the number of dirty pages is known, each round asks for all pages in the order of the plan', () => {
  const { seen, result } = steps();
  const sends = seen.filter((step) => step.kind === 'send');
  expect(sends.map(({ pages }) => pages.length)).toEqual([100, 100, 100]);
  expect(result.rounds.map(({ dirtyPages, sentPages }) => [dirtyPages, sentPages])).toEqual([
    [100, 100],
    [30, 30],
  ]);
  expect(result.stop.pages).toBe(7);
});

test('the last round is known before it is sent, under the rule that counts rounds', () => {
  const isLast = ({ seen }: ReturnType<typeof steps>) =>
    seen.flatMap((step) => (step.kind === 'send' && step.isLast !== undefined ? [step.isLast] : []));
  expect(isLast(steps())).toEqual([false, true]);
  expect(isLast(steps({ stop: { rule: 'xen', rounds: 2, pages: 1 } }))).toEqual([false, false]);
});

test('neighbours of equal heat keep their order, so that they can be asked for at once', () => {
  const { seen } = steps({ order: 'random' });
  const first = seen.find((step) => step.kind === 'send')!;
  const isAscending = (pages: Uint32Array) =>
    pages.every((page, place) => place === 0 || page > pages[place - 1]!);
  expect(isAscending(first.pages)).toBe(false);
  expect(isAscending(steps().seen.find((step) => step.kind === 'send')!.pages)).toBe(true);
});
