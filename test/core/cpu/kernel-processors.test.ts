import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelProcessors } from '../../../src/core/cpu/kernel-classes.ts';

/** Jobs as pauses between releases, and works. */
const jobs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 })), { maxLength: 8 })
  .map((pairs) => {
    let release = 0;
    return pairs.map(([pause, work]) => ({ release: (release += pause), work }));
  });
const crowd = fc.array(jobs, { minLength: 1, maxLength: 6 });
const HORIZON = 150;

/** Who runs in each unit of time, by the slices of the simulation. */
function slots(
  schedulingClass: 'eevdf' | 'rt',
  processors: number,
  all: readonly { readonly release: number; readonly work: number }[][],
  settings: (id: number) => object,
) {
  const running = Array.from({ length: HORIZON }, () => [] as number[]);
  const listener = {
    slice: (id: number, start: number, end: number) => {
      for (let at = start; at < end; at++) running[at]!.push(id);
    },
  };
  const threads = all.map((_, id) => settings(id));
  const kernel = { tickNs: 4, sliceNs: 3, quantumNs: 8, limit: null };
  const cpu = kernelProcessors(schedulingClass, processors, threads, listener, kernel);
  const arrivals = all.flatMap((some, id) => some.map((job) => ({ id, ...job })));
  for (const { id, release, work } of arrivals.sort((a, b) => a.release - b.release || a.id - b.id)) {
    cpu.runUntil(release);
    cpu.arrive(id, work);
  }
  cpu.runUntil(HORIZON);
  cpu.flush();
  return running.map((ids) => ids.sort((a, b) => a - b));
}

/** In each unit of time those of the ready that `choose` takes run, for one unit. */
function expectedSlots(
  all: readonly { readonly release: number; readonly work: number }[][],
  choose: (ready: number[]) => number[],
) {
  const left = all.map(() => 0);
  return Array.from({ length: HORIZON }, (_, at) => {
    for (const [id, some] of all.entries()) {
      for (const { release, work } of some) if (release === at) left[id]! += work;
    }
    const chosen = choose([...left.keys()].filter((id) => left[id]! > 0));
    for (const id of chosen) left[id]! -= 1;
    return chosen.sort((a, b) => a - b);
  });
}

describe('processors of the kernel', () => {
  test('run the M highest of different real-time priorities at every instant', () => {
    fc.assert(
      fc.property(crowd, fc.integer({ min: 1, max: 3 }), (all, processors) => {
        const found = slots('rt', processors, all, (id) => ({ priority: 99 - id }));
        expect(found).toEqual(expectedSlots(all, (ready) => ready.slice(0, processors)));
      }),
      { numRuns: 100 },
    );
  });

  test('are never idle under the fair class while somebody waits, and run nobody twice', () => {
    fc.assert(
      fc.property(crowd, fc.integer({ min: 1, max: 3 }), (all, processors) => {
        const found = slots('eevdf', processors, all, () => ({}));
        const left = all.map(() => 0);
        for (let at = 0; at < HORIZON; at++) {
          for (const [id, some] of all.entries()) {
            for (const { release, work } of some) if (release === at) left[id]! += work;
          }
          const ready = left.filter((work) => work > 0).length;
          expect(found[at]).toHaveLength(Math.min(processors, ready));
          expect(new Set(found[at]).size).toBe(found[at]!.length);
          for (const id of found[at]!) left[id]! -= 1;
        }
      }),
      { numRuns: 100 },
    );
  });

  test('leave a thread where it is pinned', () => {
    const running: number[] = [];
    const threads = [{ processor: 1 }, { processor: 1 }, {}];
    const cpu = kernelProcessors('eevdf', 2, threads, {
      slice: (id, _start, _end, processor) => {
        if (id < 2) running.push(processor);
      },
    });
    for (const id of threads.keys()) cpu.arrive(id, Number.POSITIVE_INFINITY);
    cpu.runUntil(100e6);
    cpu.flush();
    expect(new Set(running)).toEqual(new Set([1]));
    expect(cpu.served(2)).toBe(100e6);
  });
});
