import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EevdfQueue, fairEntity } from '../../../src/core/cpu/eevdf-queue.ts';
import { fairWeight } from '../../../src/core/cpu/fair-weight.ts';
import { KernelProcessors } from '../../../src/core/cpu/kernel-processors.ts';
import type { Slice } from '../../../src/core/cpu/slice.ts';

const MS = 1e6;
const times = { sliceNs: 1.4 * MS, tickNs: 4 * MS };

/** Always busy entities of these nice values, on so many processors. */
function spinners(nice: readonly number[], processors = 1) {
  const entities = nice.map(fairEntity);
  const slices: Slice[] = [];
  const queues = Array.from({ length: processors }, () => new EevdfQueue(entities, times));
  const cpu = new KernelProcessors(queues, times.tickNs, {
    slice: (id, startNs, endNs, processor) => slices.push({ name: String(id), startNs, endNs, processor }),
  });
  for (const id of nice.keys()) {
    cpu.add();
    cpu.arrive(id, Number.POSITIVE_INFINITY);
  }
  return { cpu, slices };
}

const niceValues = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 6 });

describe('always busy entities on one processor', () => {
  test('share it in proportion to their weights, to within a tick and a slice each', () => {
    fc.assert(
      fc.property(niceValues, (nice) => {
        const { cpu } = spinners(nice);
        cpu.runUntil(2_000 * MS);
        const total = nice.reduce((sum, one) => sum + fairWeight(one), 0);
        for (const [id, one] of nice.entries()) {
          const fairNs = (2_000 * MS * fairWeight(one)) / total;
          expect(Math.abs(cpu.served(id) - fairNs)).toBeLessThanOrEqual(times.sliceNs + times.tickNs);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('leave it idle at no time and run one at a time', () => {
    fc.assert(
      fc.property(niceValues, (nice) => {
        const { cpu, slices } = spinners(nice);
        cpu.runUntil(200 * MS);
        cpu.flush();
        expect(slices[0]!.startNs).toBe(0);
        for (let i = 1; i < slices.length; i++) expect(slices[i]!.startNs).toBe(slices[i - 1]!.endNs);
        expect(slices.at(-1)!.endNs).toBe(200 * MS);
      }),
      { numRuns: 100 },
    );
  });

  test('of equal weight take turns of one tick each', () => {
    const { cpu, slices } = spinners([0, 0, 0]);
    cpu.runUntil(48 * MS);
    cpu.flush();
    expect(slices.map(({ name }) => name).join('')).toBe('012012012012');
    expect(slices.every(({ startNs, endNs }) => endNs - startNs === 4 * MS)).toBe(true);
  });
});

test('a processor that has nothing to do pulls what waits elsewhere', () => {
  const { cpu } = spinners([0, 0, 0, 0], 2);
  cpu.runUntil(1_000 * MS);
  for (const id of [0, 1, 2, 3]) expect(Math.abs(cpu.served(id) - 500 * MS)).toBeLessThanOrEqual(8 * MS);
});

test('one that wakes beside a busy one of the same weight, having slept, runs within a tick', () => {
  const entities = [fairEntity(0), fairEntity(0)];
  const finishes: number[] = [];
  const cpu = new KernelProcessors([new EevdfQueue(entities, times)], times.tickNs, {
    finished: (id, atNs) => id === 1 && finishes.push(atNs),
  });
  cpu.add();
  cpu.add();
  cpu.arrive(0, Number.POSITIVE_INFINITY);
  for (let i = 1; i <= 100; i++) {
    cpu.runUntil(i * 10.3 * MS);
    cpu.arrive(1, 0.1 * MS);
  }
  cpu.runUntil(1_100 * MS);
  expect(finishes).toHaveLength(100);
  for (const [i, atNs] of finishes.entries()) {
    expect(atNs - (i + 1) * 10.3 * MS).toBeLessThanOrEqual(times.tickNs + 0.1 * MS + 1);
  }
});
