import { describe, expect, test } from 'vitest';
import { KernelProcessors } from '../../../src/core/cpu/kernel-processors.ts';
import {
  quantumTicks,
  type RealTimeEntity,
  RealTimeQueue,
  type RealTimeTimes,
} from '../../../src/core/cpu/real-time-queue.ts';

const MS = 1e6;
const BUSY = Number.POSITIVE_INFINITY;
const unlimited: RealTimeTimes = { quantumNs: 100 * MS, tickNs: 4 * MS, limit: null };
const limited = { ...unlimited, limit: { budgetNs: 950 * MS, periodNs: 1_000 * MS } };

type Job = readonly [atMs: number, workNs: number];

/** Who ran from when to when, in ms, as `name[start,end)`; entities are a, b, … */
function ran(
  times: RealTimeTimes,
  contenders: readonly (Pick<RealTimeEntity, 'policy' | 'priority'> & { jobs: readonly Job[] })[],
  untilMs: number,
  processors = 1,
): string {
  const entities = contenders.map((one): RealTimeEntity => ({ ...one, ticksLeft: quantumTicks(times) }));
  const slices: { at: number; text: string }[] = [];
  const cpu = new KernelProcessors(
    Array.from({ length: processors }, () => new RealTimeQueue(entities, times)),
    times.tickNs,
    {
      slice: (id, start, end, processor) => {
        const where = processors > 1 ? `@${processor}` : '';
        slices.push({ at: start, text: `${'abcdef'[id]}${where}[${start / MS},${end / MS})` });
      },
    },
  );
  for (const _ of contenders) cpu.add();
  const arrivals = contenders.flatMap(({ jobs }, id) =>
    jobs.map(([at, work]) => ({ id, at: at * MS, work })),
  );
  for (const { id, at, work } of arrivals.sort((one, other) => one.at - other.at)) {
    cpu.runUntil(at);
    cpu.arrive(id, work);
  }
  cpu.runUntil(untilMs * MS);
  cpu.flush();
  return slices
    .sort((one, other) => one.at - other.at)
    .map(({ text }) => text)
    .join(' ');
}

describe('FIFO', () => {
  test('runs the first to come until it is done, then the next', () => {
    const jobs: Job[] = [[0, 10 * MS]];
    expect(
      ran(
        unlimited,
        [
          { policy: 'fifo', priority: 5, jobs },
          { policy: 'fifo', priority: 5, jobs },
        ],
        30,
      ),
    ).toBe('a[0,10) b[10,20)');
  });

  test('is interrupted at once by a higher priority, and goes on before its equals', () => {
    expect(
      ran(
        unlimited,
        [
          { policy: 'fifo', priority: 5, jobs: [[0, 10 * MS]] },
          { policy: 'fifo', priority: 5, jobs: [[1, 5 * MS]] },
          { policy: 'fifo', priority: 9, jobs: [[3, 2 * MS]] },
        ],
        30,
      ),
    ).toBe('a[0,3) c[3,5) a[5,12) b[12,17)');
  });

  test('on two processors runs the two of the highest priorities', () => {
    expect(
      ran(
        unlimited,
        [
          { policy: 'fifo', priority: 1, jobs: [[0, BUSY]] },
          { policy: 'fifo', priority: 2, jobs: [[0, BUSY]] },
          { policy: 'fifo', priority: 3, jobs: [[4, 4 * MS]] },
        ],
        12,
        2,
      ),
    ).toBe('a@0[0,4) b@1[0,12) c@0[4,8) a@0[8,12)');
  });
});

describe('RR', () => {
  const busy = { priority: 5, jobs: [[0, BUSY]] as Job[] };

  test('takes turns of 100 ms with its equals', () => {
    const turns = ran(
      unlimited,
      [
        { policy: 'rr', ...busy },
        { policy: 'rr', ...busy },
      ],
      400,
    );
    expect(turns).toBe('a[0,100) b[100,200) a[200,300) b[300,400)');
  });

  test('never gives way to a lower priority, nor does FIFO to it', () => {
    const lower = { policy: 'rr', priority: 4, jobs: [[0, BUSY]] as Job[] } as const;
    expect(ran(unlimited, [{ policy: 'rr', ...busy }, lower], 400)).toBe('a[0,400)');
    expect(
      ran(
        unlimited,
        [
          { policy: 'fifo', ...busy },
          { policy: 'rr', ...busy },
        ],
        400,
      ),
    ).toBe('a[0,400)');
  });
});

test('is throttled at the tick at which 950 ms of a second are used up, and keeps the excess as a debt', () => {
  const busy = { policy: 'fifo', priority: 5, jobs: [[0, BUSY]] as Job[] } as const;
  // 2 ms too much in the first second; the second is left after 948 ms + the rest of a tick.
  expect(ran(limited, [busy], 3_000)).toBe('a[0,952) a[1000,1952) a[2000,2948)');
});
