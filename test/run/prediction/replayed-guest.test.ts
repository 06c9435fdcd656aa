import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { migrateVirtually } from '../../../src/run/ensemble.ts';
import { predict } from '../../../src/run/predict.ts';
import { seeded } from '../../../src/scenario/scenario.ts';
import type { TraceSpec } from '../../../src/workload/trace.ts';
import { recordings, type Sample } from '../../fixtures/recordings.ts';
import { RECORDED_PAGES, recordedCell } from './recorded-cell.ts';

/** Whatever a plan can say of which page is sent when, but for ties that fall at random. */
const migrations = fc
  .record({
    order: fc.constant('address'),
    stop: fc.record({ rule: fc.constant('rounds'), rounds: fc.integer({ min: 1, max: 3 }) }),
    defer: fc.constantFrom('none', { threshold: 0.3, window: '40ms' }, { count: 20 }),
    cleared: fc.constantFrom(
      { clear: 'page' },
      ...['round', 'chunk(16)'].flatMap((clear) => [
        { clear, skip: false },
        { clear, skip: true },
      ]),
    ),
    heat: fc.constantFrom('known', 'estimated'),
    observe: fc.constant('400ms'),
  })
  .map(({ cleared, ...others }) => ({ ...others, ...cleared }));

const startNs = fc.integer({ min: 0, max: 600_000_000 });

/** The time in which a page leaves, and that from one sample of these recordings to the next. */
const SLOT_MS = 0.33;
const SAMPLE_MS = 20;

describe('the model of a recorded guest', () => {
  test('leaves from one instant of any recording what virtual time leaves, by any plan, but for what is written in two slots a round', () => {
    fc.assert(
      fc.property(recordings(RECORDED_PAGES, 40), migrations, startNs, (samples, migration, startNs) => {
        const cell = recordedCell(samples, { migration, startNs });
        const { course, assumes } = predict(cell);
        const { stop, rounds, outcome } = migrateVirtually(seeded(cell, 1));
        expect(outcome).toBe('completed');
        expect(assumes).toContain('the recording is replayed from one instant');
        expect(course.rounds).toBe(rounds.length);
        const most = Math.max(...samples.map(([, pages]) => pages.length));
        const inTwoSlots = (2 * most * SLOT_MS) / SAMPLE_MS;
        expect(Math.abs(course.pagesLeft!.mean - stop.pages)).toBeLessThanOrEqual(
          3 + inTwoSlots * rounds.length,
        );
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    ['lru', 1],
    ['threshold', 3],
  ])('has for order %s, K = %d, the median of many runs, and a band that holds 90 to 99 in a hundred of them', (order, rounds) => {
    const migration = { order, stop: { rule: 'rounds', rounds }, observe: '400ms' };
    const cell = recordedCell(bursting, { migration });
    const { stop, assumes } = predict(cell);
    const runs = Array.from({ length: 200 }, (_, seed) => migrateVirtually(seeded(cell, seed)));
    const left = runs.map((run) => run.stop.pages).sort((one, other) => one - other);
    expect(assumes).toEqual([
      'the recording is replayed from 64 instants, spread evenly, and times are medians; what is said for 99 % is the largest of them',
    ]);
    const median = stop!.pagesLeftQuantile(0.5);
    expect(Math.abs(median - left[100]!)).toBeLessThanOrEqual(1 + 0.05 * left[100]!);
    const [low, high] = [stop!.pagesLeftQuantile(0.025), stop!.pagesLeftQuantile(0.975)];
    const held = left.filter((pages) => pages >= low && pages <= high).length / runs.length;
    expect(held).toBeGreaterThanOrEqual(0.9);
    expect(held).toBeLessThanOrEqual(0.99);
  });

  test('converges if most starts do, and says of the others how many they are', () => {
    // In one third of its time it writes nothing, and QEMU's rule finds few enough pages left; else 20,000 pages a second.
    const samples = Array.from({ length: 60 }, (_, sample): Sample => {
      const pages = sample % 60 < 20 ? [] : Array.from({ length: 400 }, (_, page) => page);
      return [(sample + 1) * 20, pages];
    });
    const soon = { stop: { rule: 'downtime', limit: '10ms' }, timeout: '300ms' };
    const { course, stop, assumes } = predict(recordedCell(samples, { migration: soon }));
    expect(course).toMatchObject({ converges: false, downtimeNs: null });
    expect(course.reason).toMatch(/^the timeout of 300 ms .* has passed/);
    expect(stop).toBeNull();
    expect(assumes.join()).toMatch(/from \d+ of them it does not converge/);
    expect(course.convergesProbability).toBeGreaterThan(0);
    expect(course.convergesProbability).toBeLessThan(0.5);
    const later = predict(recordedCell(samples, { migration: { ...soon, timeout: '5s' } }));
    expect(later.course.converges).toBe(true);
    expect(later.assumes.join()).not.toContain('does not converge');
  });

  test('with a limit, of all starts: those from which it does not converge keep none', () => {
    const samples = Array.from({ length: 60 }, (_, sample): Sample => {
      const pages = sample % 60 < 45 ? [] : Array.from({ length: 400 }, (_, page) => page);
      return [(sample + 1) * 20, pages];
    });
    const stop = { stop: { rule: 'downtime', limit: '10ms' }, timeout: '300ms' };
    const prediction = predict(recordedCell(samples, { migration: stop }));
    const { course } = prediction;
    expect(course.converges).toBe(true);
    const probability = course.convergesProbability!;
    expect(probability).toBeLessThan(1);
    expect(prediction.requiredStopRateBytesPerSecond(50e6, 0.9 * probability)).toBeGreaterThan(0);
    const tooSure = (1 + probability) / 2;
    expect(prediction.requiredStopRateBytesPerSecond(50e6, tooSure)).toBeNull();
    expect(prediction.whyNoStopRate(50e6, tooSure)).toMatch(
      /^impossible at any b_d: it converges with probability 0\.\d+ only$/,
    );
  });

  test('is refused for more pages than are followed one by one', () => {
    const { guest, ...cell } = recordedCell(bursting);
    const huge = { ...cell, guest: { ...guest, pages: 2 ** 24 + 1 } };
    expect(() => predict(huge)).toThrow('guest.pages: expected at most 16777216 to be predicted one by one');
  });

  test('of another load is of its recording at another speed, and says so', () => {
    const { guest, ...cell } = recordedCell(bursting);
    const faster = predict({
      ...cell,
      guest: { ...guest, program: { ...guest.program, speed: 2 } as TraceSpec },
    });
    expect(faster.assumes).toContain('another load is the recording at 2 times its speed');
    expect(faster.course.pagesLeft!.mean).toBeGreaterThan(
      1.2 * predict(recordedCell(bursting)).course.pagesLeft!.mean,
    );
  });

  test('of a guest short of CPU time is of its recording at less speed, and says so', () => {
    const cell = recordedCell(bursting);
    const short = predict({
      ...cell,
      guest: { ...cell.guest, cpuPerWriteNs: 2e6 },
      cpu: { ...cell.cpu, scheduler: 'fair', hogs: 1 },
    });
    expect(short.assumes.join()).toMatch(/replays its recording at 0\.\d+ of its speed/);
    expect(short.course.pagesLeft!.mean).toBeLessThan(predict(cell).course.pagesLeft!.mean);
  });
});

/** Sweeps all the time, and for a fifth of it writes ten times as much. */
const bursting = Array.from({ length: 100 }, (_, sample): Sample => {
  const count = sample % 25 < 5 ? 60 : 6;
  return [(sample + 1) * 20, Array.from({ length: count }, (_, page) => (sample * 7 + page) % 400)];
});
