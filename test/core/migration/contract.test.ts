import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Migration } from '../../../src/core/migration/ask.ts';
import { underContract } from '../../../src/core/migration/contract.ts';
import { migrate } from '../../../src/core/migration/migrate.ts';
import type { MigrationResult } from '../../../src/core/migration/migration-result.ts';
import { PageSet } from '../../../src/core/migration/pages.ts';
import type { Step, StepResult, StepResultOf } from '../../../src/core/migration/steps.ts';
import type { WindowsSeen } from '../../../src/core/migration/windows-seen.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';

const PAGES = 70;
const setup = smallSetup({
  guest: { pages: PAGES, program: { kind: 'classes', classes: [{ pages: 9, writesPerSecond: 20 }] } },
  plan: { order: 'lru', stop: { rule: 'rounds', rounds: 2 } },
});

interface Exchange {
  readonly step: Step;
  readonly answer: StepResult;
}

/** What passes between the migration and a world whose n-th answer is changed. */
function exchanges(change = (answer: StepResult, _n: number): StepResult => answer): Exchange[] {
  const world = new VirtualWorld(setup);
  const migration = migrate(setup.plan);
  const passed: Exchange[] = [];
  for (let next = migration.next(); !next.done; ) {
    const answer = change(world.carryOut(next.value), passed.length);
    passed.push({ step: next.value, answer });
    next = migration.next(answer);
  }
  return passed;
}

const honest = exchanges();
const which = fc.nat(honest.length - 1);

describe('a world', () => {
  test('whose time runs backwards is found out at that answer, whichever it is', () => {
    fc.assert(
      fc.property(which, fc.integer({ min: 1, max: 1e12 }), (turned, byNs) => {
        fc.pre(turned > 0 && honest[turned]!.answer.kind !== 'handed over');
        const before = honest[turned - 1]!.answer.now;
        const change = (answer: StepResult, n: number) =>
          n === turned ? ({ ...answer, now: before - byNs } as StepResult) : answer;
        expect(() => exchanges(change)).toThrow('violated: world: time never runs backwards');
      }),
    );
  });

  test.each([
    'readyAtNs',
    'verifiedAtNs',
    'committedAtNs',
    'runningAtNs',
  ] as const)('cannot hand over with %s before what comes before it', (instant) => {
    const change = (answer: StepResult) =>
      answer.kind === 'handed over' ? { ...answer, [instant]: answer[instant] - 1 } : answer;
    expect(() => exchanges(change)).toThrow('violated: world: time never runs backwards');
  });

  test('cannot have paused the guest before its last answer', () => {
    const stop = honest.findIndex(({ step }) => step.kind === 'stop');
    const sinceNs = honest[stop]!.answer.now - honest[stop - 1]!.answer.now;
    const paused = (windowNs: number) => () =>
      exchanges((answer, n) => (n === stop ? ({ ...answer, windowNs } as StepResultOf<'dirty'>) : answer));
    expect(paused(sinceNs)).not.toThrow();
    expect(paused(sinceNs + 1)).toThrow('violated: world: time never runs backwards');
  });

  test.each([
    ['more pages than the guest has', new PageSet(PAGES + 1)],
    ['fewer', new PageSet(PAGES - 1)],
    ['a bitmap that is too short', new PageSet(PAGES, new Uint32Array(2))],
    ['a bit beyond the last page', new PageSet(PAGES, Uint32Array.of(0, 0, 2 ** 6))],
  ])('cannot find dirty: %s', (_, dirty) => {
    const change = (answer: StepResult) => (answer.kind === 'dirty' ? { ...answer, dirty } : answer);
    expect(() => exchanges(change)).toThrow('violated: world: dirty pages are pages of the guest');
  });

  test.each<[string, Partial<WindowsSeen>]>([
    ['more windows than it was asked for', { lengthsNs: new Float64Array(6) }],
    ['none', { lengthsNs: new Float64Array(0) }],
    ['a page that the guest does not have', { pages: Uint32Array.of(1, PAGES) }],
    ['a page twice', { pages: Uint32Array.of(1, 1) }],
    ['no windows of a page', { seen: Uint32Array.of(1) }],
  ])('cannot have watched: %s', (_, wrong) => {
    const windows = {
      lengthsNs: new Float64Array(5).fill(40e6),
      pages: Uint32Array.of(1, 2),
      seen: Uint32Array.of(1, 31),
    };
    const watched = (windows: WindowsSeen) => () => {
      const observe = (function* (): Migration<MigrationResult> {
        yield { kind: 'observe', windowNs: 40e6, windows: 5 };
        throw new Error('believed');
      })();
      const migration = underContract(observe, PAGES);
      migration.next();
      migration.next({ kind: 'watched', now: 200e6, windows });
    };
    expect(watched(windows)).toThrow('believed');
    expect(watched({ ...windows, ...wrong })).toThrow('violated: world: windows are those asked for');
  });

  test('cannot say that it sent other than what it was asked to', () => {
    for (const wrong of [{ sentPages: 3 }, { sentPages: 71 }, { zeroPages: 71 }]) {
      const change = (answer: StepResult) => (answer.kind === 'sent' ? { ...answer, ...wrong } : answer);
      expect(() => exchanges(change)).toThrow('violated: world: all pages asked for are sent');
    }
  });
});
