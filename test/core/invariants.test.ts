import { describe, expect, test } from 'vitest';
import { idleServer, replenish, type Server, wake } from '../../src/core/cpu/cbs.ts';
import { Processor } from '../../src/core/cpu/processor.ts';
import { type Invariant, InvariantViolated } from '../../src/core/invariants.ts';
import { fullBucket, reserve } from '../../src/core/link/bucket.ts';
import { underContract } from '../../src/core/migration/contract.ts';
import { unknown } from '../../src/core/migration/heat.ts';
import { migrate } from '../../src/core/migration/migrate.ts';
import { PageSet } from '../../src/core/migration/pages.ts';
import { sendingOrder } from '../../src/core/migration/round.ts';
import type { Step, StepResult } from '../../src/core/migration/steps.ts';
import { Random } from '../../src/core/random.ts';
import { type JournalEntry, ownership } from '../../src/core/wire/ownership.ts';
import { VirtualWorld } from '../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../fixtures/setup.ts';

const setup = smallSetup({ guest: { pages: 800 }, plan: { order: 'lru' } });
const server: Server = { budgetNs: 4, periodNs: 10, remainingNs: 0, deadlineNs: 0, phase: 'throttled' };
const lost = { order: () => Uint32Array.of(0, 1), pages: PageSet.all(3) };

/** The small migration in virtual time, by a world of which one answer is changed. */
function migrateIn(change: (answer: StepResult, step: Step) => StepResult): unknown {
  const world = new VirtualWorld(setup);
  const migration = migrate(setup.plan);
  let next = migration.next();
  while (!next.done) next = migration.next(change(world.carryOut(next.value), next.value));
  return next.value;
}

/** What breaks each of the rules: an input that no caller of ours makes, or a world that lies. */
const broken: Readonly<Record<Invariant, () => unknown>> = {
  'cbs: 0 < Q ≤ P': () => idleServer({ budgetNs: 11, periodNs: 10 }),
  'cbs: c ≤ Q': () => replenish('hard', { ...server, remainingNs: 1 }, 10),
  'cbs: d never moves back': () => wake('hard', { ...server, remainingNs: 12, deadlineNs: 30 }, 5),
  'edf: the earliest deadline runs': () => {
    const processor = new Processor('hard');
    for (const id of [0, 1]) {
      processor.addTask(10 + id);
      processor.addServer({ budgetNs: 1, periodNs: 10 });
      processor.arrive(2 * id, 5);
      processor.arrive(2 * id + 1, 5);
    }
    (processor.server(1) as Server).deadlineNs = 3;
    (processor.server(3) as Server).deadlineNs = 99;
    processor.runUntil(50);
  },
  'bucket: 0 ≤ tokens ≤ depth': () => reserve(fullBucket(1_000, 500, 0), Number.NaN, 100),
  'round: φ_k sends each page of D_k ∖ F_k once, F_k ⊆ D_k': () =>
    sendingOrder(lost.order, lost.pages, new PageSet(3), {
      ...{ heat: unknown, slotsPerWindow: 1, random: Random.seeded(1) },
    }),
  'world: each step has its own answer': () =>
    migrateIn((answer, { kind }) => (kind === 'send' ? { kind: 'done', now: answer.now } : answer)),
  'world: time never runs backwards': () =>
    migrateIn((answer, { kind }) => (kind === 'stop' ? { ...answer, now: answer.now - 1 } : answer)),
  'world: dirty pages are pages of the guest': () =>
    migrateIn((answer) => (answer.kind === 'dirty' ? { ...answer, dirty: PageSet.all(801) } : answer)),
  'world: windows are those asked for, of pages of the guest': () =>
    migrateIn((answer) => {
      if (answer.kind !== 'watched') return answer;
      return { ...answer, windows: { ...answer.windows, lengthsNs: new Float64Array(21) } };
    }),
  'world: all pages asked for are sent': () =>
    migrateIn((answer) => (answer.kind === 'sent' ? { ...answer, sentPages: answer.sentPages - 1 } : answer)),
  'owner: the source until the hand-over': () =>
    migrateIn((answer, { kind }) => {
      if (answer.kind === 'aborted') return { ...answer, owner: 'destination' };
      return kind === 'stop' ? { kind: 'failed', now: answer.now, why: 'a test' } : answer;
    }),
  'owner: whom the last answer names': () => {
    const [world, migration] = [new VirtualWorld(setup), migrate(setup.plan)];
    const thief = underContract(
      (function* () {
        return { ...(yield* migration), owner: 'source' as const };
      })(),
      setup.plan.pages,
    );
    let next = thief.next();
    while (!next.done) next = thief.next(world.carryOut(next.value));
  },
  'owner: the last entries of both journals name one': () =>
    ownership({ source: { last: 'sold' as JournalEntry, life: 'has ended' }, destination: undefined }),
};

describe('a rule that is broken', () => {
  test.each(Object.entries(broken))('is named: %s', (rule, breaks) => {
    let violation: unknown;
    try {
      breaks();
    } catch (cause) {
      violation = cause;
    }
    expect(violation).toBeInstanceOf(InvariantViolated);
    expect((violation as InvariantViolated).rule).toBe(rule);
    // The rule, where it comes from, and what contradicts it.
    expect((violation as InvariantViolated).message).toMatch(/^violated: .+ \(.+\); .+ = .+/s);
  });

  test('says what contradicts it', () => {
    expect(broken['cbs: c ≤ Q']).toThrow('violated: cbs: c ≤ Q (Abeni & Buttazzo, RTSS 1998); c = 5, Q = 4');
  });

  test('is none in the same migration without the change', () => {
    expect(migrateIn((answer) => answer)).toMatchObject({ outcome: 'completed', owner: 'destination' });
  });
});
