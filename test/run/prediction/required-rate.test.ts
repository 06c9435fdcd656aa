import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { predict } from '../../../src/run/predict.ts';
import { experimentOf, type ScenarioCell, scenarioOf } from '../../../src/scenario/scenario.ts';
import { randomScenario } from './random-scenario.ts';

function cellOf(document: Readonly<Record<string, unknown>>): ScenarioCell {
  return experimentOf(scenarioOf(document, { name: 'here' })).cells[0]!;
}

/** The downtime that is not exceeded with probability q, a stop that never comes being the longest, asked of the whole model anew at another b_d. */
function forward(cell: ScenarioCell, stopRateBytesPerSecond: number, q: number): number {
  const { course, stop } = predict({ ...cell, plan: { ...cell.plan, stopRateBytesPerSecond } });
  const ofStops = q / (course.convergesProbability ?? 1);
  return ofStops > 1
    ? Number.POSITIVE_INFINITY
    : (stop?.downtimeQuantileNs(ofStops) ?? Number.POSITIVE_INFINITY);
}

describe('the b_d that a limit needs', () => {
  test('keeps the limit by the forward model, and one byte a second less does not, in any scenario', () => {
    const probability = fc.constantFrom(0.5, 0.9, 0.99, 0.999);
    const limit = fc.integer({ min: 0, max: 1000 }).map((share) => 1e6 * 1e4 ** (share / 1000));
    fc.assert(
      fc.property(randomScenario(256), probability, limit, (document, q, limitNs) => {
        const cell = cellOf(document);
        const prediction = predict(cell);
        const rate = prediction.requiredStopRateBytesPerSecond(limitNs, q);
        if (rate === null) {
          expect(forward(cell, Number.MAX_SAFE_INTEGER, q)).toBeGreaterThan(limitNs);
          expect(prediction.whyNoStopRate(limitNs, q)).toMatch(/^impossible at any b_d: |^unknown: /);
          return;
        }
        expect(forward(cell, rate, q)).toBeLessThanOrEqual(limitNs);
        if (rate > 1) expect(forward(cell, rate - 1, q)).toBeGreaterThan(limitNs);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  const guest = {
    pages: 2000,
    program: { kind: 'classes', classes: [{ pages: 500, writesPerSecond: 2000 }] },
  };
  const migration = { order: 'address', heat: 'known', clear: 'round' };

  test('follows the rounds anew where b_d decides which stop may begin', () => {
    const stop = { rule: 'rounds', rounds: 1, maxDowntime: '300ms' };
    const cell = cellOf({ guest, migration: { ...migration, stop }, link: { rate: '20Mbit/s' } });
    const { course, requiredStopRateBytesPerSecond } = predict(cell);
    // At 20 Mbit/s the 500 pages that are always dirty take 0.8 s.
    expect(course.converges).toBe(false);
    const rate = requiredStopRateBytesPerSecond(300e6, 0.99)!;
    expect(rate).toBeGreaterThan((499 * 4112) / 0.3);
    expect(forward(cell, rate, 0.99)).toBeLessThanOrEqual(300e6);
    expect(forward(cell, rate - 1, 0.99)).toBeGreaterThan(300e6);
  });

  test('counts what passes at every stop, and says that no rate shortens it', () => {
    const sender = { cpuPerHandover: '732ms' };
    const cell = cellOf({ guest, migration, sender, link: { rate: '100Mbit/s' } });
    const { course, stop, whyNoStopRate } = predict(cell);
    expect(course.downtimeNs! / 1e6).toBeCloseTo(732 + (500 * 4112 * 8) / 100e3, 0);
    expect(stop!.requiredStopRateBytesPerSecond(300e6, 0.99)).toBeNull();
    expect(whyNoStopRate(300e6, 0.99)).toMatch(/732 ms of sender\.cpuPerHandover/);
  });

  test('counts the time and the state of devices', () => {
    const device = { state: '10MB', time: '50ms' };
    const cell = cellOf({ guest: { ...guest, device }, migration, link: { rate: '1Gbit/s' } });
    const { course, stop, whyNoStopRate } = predict(cell);
    expect(course.downtimeNs! / 1e6).toBeCloseTo(50 + (10e6 + 500 * 4112) / 125e3, 0);
    expect(whyNoStopRate(40e6, 0.99)).toMatch(/50 ms of guest\.device\.time/);
    const rate = stop!.requiredStopRateBytesPerSecond(60e6, 0.99)!;
    expect((10e6 + 500 * 4112) / rate).toBeCloseTo(0.01, 5);
  });

  test('is none where preparing the pages alone takes the sender longer', () => {
    const sender = { cpuPerPage: '1ms' };
    const cell = cellOf({ guest, migration, sender, link: { rate: '100Mbit/s' } });
    const { stop, whyNoStopRate } = predict(cell);
    expect(stop!.requiredStopRateBytesPerSecond(200e6, 0.99)).toBeNull();
    expect(whyNoStopRate(200e6, 0.99)).toMatch(/500 ms of sender\.cpuPerPage/);
  });

  test('is none for a guest that does not converge, which is then the reason', () => {
    const busy = {
      ...guest,
      program: { kind: 'classes', classes: [{ pages: 2000, writesPerSecond: 1000 }] },
    };
    const stuck = { ...migration, stop: { rule: 'downtime', limit: '1ms' } };
    const { stop, whyNoStopRate } = predict(
      cellOf({ guest: busy, migration: stuck, link: { rate: '100Mbit/s' } }),
    );
    expect(stop).toBeNull();
    expect(whyNoStopRate(200e6, 0.99)).toMatch(/^impossible at any b_d: the guest does not converge/);
  });
});
