import { describe, expect, test } from 'vitest';
import { frequency, type LearnedHeat, recency } from '../../../src/core/migration/heat.ts';
import type { StepResultOf } from '../../../src/core/migration/steps.ts';
import type { GuestSpec } from '../../../src/workload/programs.ts';
import { VirtualWorld } from '../../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../../fixtures/setup.ts';
import { differenceOf } from '../../fixtures/two-samples.ts';

const WINDOWS = 50;
const SEEDS = 60;
const quiet = 1e15;

/** Rates at which windows are drawn 32 at a time, and at which they are skipped over. */
const classes: GuestSpec['program'] = {
  kind: 'classes',
  classes: [
    { pages: 40, writesPerSecond: 30 },
    { pages: 40, writesPerSecond: 3 },
    { pages: 80, writesPerSecond: 0.5 },
  ],
};
const guests: [string, Partial<GuestSpec>][] = [
  ['classes', { program: classes, heartbeatPeriodNs: quiet }],
  ['classes, with heartbeats', { program: classes, heartbeatPeriodNs: 70e6 }],
  [
    'classes in bursts',
    { program: classes, heartbeatPeriodNs: quiet, bursts: { everyNs: 130e6, lengthNs: 25e6, factor: 6 } },
  ],
  [
    'Zipf',
    {
      program: { kind: 'zipf', pages: 160, exponent: 1, writesPerSecond: 1_000 },
      heartbeatPeriodNs: quiet,
    },
  ],
];

/** The heat of every page of a guest that is watched, all windows at once or one by one. */
function watched(guest: Partial<GuestSpec>, seed: number, atOnce: boolean, heat: LearnedHeat): LearnedHeat {
  const world = new VirtualWorld(smallSetup({ guest: { pages: 200, ...guest, seed } }));
  for (let left = WINDOWS; left > 0; ) {
    const windows = atOnce ? left : 1;
    const answer = world.carryOut({ kind: 'observe', windowNs: 20e6, windows });
    expect(answer.kind).toBe(atOnce ? 'watched' : 'dirty');
    if (answer.kind === 'watched') heat.seeAll(answer.windows);
    if (answer.kind === 'dirty') heat.see(answer.dirty, answer.windowNs);
    left -= windows;
  }
  return heat;
}

describe.each(guests)('windows of a guest that are drawn at once: %s', (_, guest) => {
  test.each<[string, () => LearnedHeat]>([
    ['how many saw a page', () => frequency(200, 1e15)],
    ['its frequency with ageing', () => frequency(200, 200e6)],
    ['which was the last', () => recency(200)],
  ])('are like those that are drawn one by one: %s', (_, make) => {
    const heats = (atOnce: boolean) =>
      Array.from({ length: SEEDS }, (_, seed) => watched(guest, seed, atOnce, make()));
    const [once, each] = [heats(true), heats(false)];
    // By hand: the pages of equal rate together, which layouts put at different places; page 0 by itself.
    const of = (all: readonly LearnedHeat[], pages: (seed: number) => readonly number[]) =>
      all.flatMap((heat, seed) => pages(seed).map((page) => heat.of(page)));
    const everyPage = Array.from({ length: 200 }, (_, page) => page);
    expect(
      differenceOf(
        of(once, () => [0]),
        of(each, () => [0]),
      ),
    ).toBeLessThan(1);
    expect(
      differenceOf(
        of(once, () => everyPage),
        of(each, () => everyPage),
      ),
    ).toBeLessThan(1);
    for (const pages of ranked(guest)) expect(differenceOf(of(once, pages), of(each, pages))).toBeLessThan(1);
  });
});

/** The written pages by falling rate, 40 at a time: which those are depends on the seed. */
function ranked(guest: Partial<GuestSpec>): ((seed: number) => readonly number[])[] {
  const orders = Array.from({ length: SEEDS }, (_, seed) => {
    const world = new VirtualWorld(smallSetup({ guest: { pages: 200, ...guest, seed } }));
    const { rates } = world.carryOut({ kind: 'learn' }) as StepResultOf<'learned'>;
    const rate = (page: number) => rates.writesPerSecond[rates.classOf?.[page] ?? page]!;
    return Array.from({ length: 199 }, (_, index) => index + 1).sort((a, b) => rate(b) - rate(a));
  });
  return [0, 40, 80, 120].map((from) => (seed: number) => orders[seed]!.slice(from, from + 40));
}

test('windows of a guest whose program has a memory are watched one by one', () => {
  const program = { kind: 'sequential' as const, pages: 20, writesPerSecond: 125 };
  const world = new VirtualWorld(smallSetup({ guest: { program } }));
  expect(world.carryOut({ kind: 'observe', windowNs: 20e6, windows: 20 }).kind).toBe('dirty');
});
