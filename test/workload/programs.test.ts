import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PageSet } from '../../src/core/migration/pages.ts';
import { Random } from '../../src/core/random.ts';
import { inSegments, type SegmentedMemory } from '../../src/platform/segmented-memory.ts';
import { type Activity, guestMemory } from '../../src/workload/program.ts';
import { ProgramMachine } from '../../src/workload/program-machine.ts';
import {
  activityOf,
  type GuestSpec,
  type ProgramSpec,
  programOf,
  writesPerSecondOf,
} from '../../src/workload/programs.ts';
import { VirtualGuest } from '../../src/worlds/virtual/virtual-guest.ts';

const MS = 1_000_000;
const SECOND = 1_000_000_000;
const PAGES = 60;

const recording = (durationMs: number, samples: readonly unknown[]) => {
  const header = { format: 'dirty-trace/1', pages: 50, pageSizeBytes: 4_096, samples: samples.length + 1 };
  const lines = [header, ...samples, [durationMs, []]].map((line) => JSON.stringify(line));
  return gzipSync(lines.join('\n')).toString('base64');
};

/** Every kind of program that can be run; a kind that is missing here does not compile. */
const programs: Record<Exclude<ProgramSpec['kind'], 'dirty-curve'>, ProgramSpec> = {
  classes: {
    kind: 'classes',
    classes: [
      { pages: 5, writesPerSecond: 40 },
      { pages: 20, writesPerSecond: 4 },
      { pages: 10, writesPerSecond: 0 },
      { pages: 15, writesPerSecond: 0.4 },
    ],
  },
  zipf: { kind: 'zipf', pages: 40, exponent: 0.99, writesPerSecond: 300 },
  sequential: { kind: 'sequential', pages: 17, writesPerSecond: 130 },
  saturating: { kind: 'saturating', pages: 17, writesPerSecond: 130 },
  stream: {
    kind: 'stream',
    framePeriodNs: 40 * MS,
    cpuPerFrameNs: 6 * MS,
    pagesPerFrame: 6,
    bufferPages: 20,
  },
  trace: {
    kind: 'trace',
    recording: recording(130, [
      [3, [7, 8]],
      [50, [1, 2, 3, 49, 7]],
      [90, []],
      [100, [30]],
    ]),
  },
};

const guestOf = (program: ProgramSpec, given: Partial<GuestSpec> = {}): GuestSpec => ({
  cpuPerWriteNs: 0,
  name: 'guest',
  pages: PAGES,
  zeroPages: 0,
  pageSizeBytes: 512,
  program,
  heartbeatPeriodNs: 10 * MS,
  seed: 5,
  ...given,
});

const guests = Object.values(programs).map((program) => [program.kind, guestOf(program)] as const);

/** Memory in segments of eight pages, the last of them shorter. */
function memoryOf(
  { pages, pageSizeBytes }: GuestSpec,
  segmentBytes = 8 * pageSizeBytes,
): { readonly bytes: Buffer; readonly memory: SegmentedMemory } {
  const bytes = Buffer.alloc(pages * pageSizeBytes);
  return { bytes, memory: inSegments(bytes, pageSizeBytes, segmentBytes) };
}

function machineIn(memory: SegmentedMemory, spec: GuestSpec, mark: (page: number) => void = () => {}) {
  return new ProgramMachine(guestMemory(memory, mark), programOf(spec), spec.heartbeatPeriodNs);
}

/** @param mark told of every page that is marked */
function booted(spec: GuestSpec, mark?: (page: number) => void, segmentBytes?: number) {
  const { bytes, memory } = memoryOf(spec, segmentBytes);
  const machine = machineIn(memory, spec, mark);
  machine.boot(spec.seed, spec.zeroPages);
  return { bytes, machine };
}

function run(machine: ProgramMachine, steps: number): void {
  for (let step = 0; step < steps; step++) machine.step();
}

interface Write {
  readonly page: number;
  readonly atNs: number;
}

/** The program's writes up to an instant, page 0 apart, on a processor that is its own: a step ends when its CPU time is spent. */
function writesUntil(spec: GuestSpec, untilNs: number): Write[] {
  const writes: Write[] = [];
  let endNs = 0;
  const { machine } = booted(spec, (page) => {
    if (page !== 0) writes.push({ page, atNs: endNs });
  });
  while (machine.nextAtNs() <= untilNs) {
    endNs = Math.max(endNs, machine.nextAtNs()) + machine.stepCpuNs;
    machine.step();
  }
  return writes.filter(({ atNs }) => atNs <= untilNs);
}

describe.each(guests)('a guest that runs %s', (kind, spec) => {
  test('comes to the same memory however its steps are cut up and wherever its memory is moved meanwhile', () => {
    const { machine, bytes } = booted(spec);
    run(machine, 400);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 }), (cuts) => {
        let here = booted(spec);
        let done = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), 400]) {
          run(here.machine, cut - done);
          done = cut;
          const there = memoryOf(spec);
          there.bytes.set(here.bytes);
          here.bytes.fill(0);
          here = { bytes: there.bytes, machine: machineIn(there.memory, spec) };
        }
        expect(here.bytes.equals(bytes)).toBe(true);
        expect(here.machine.steps).toBe(400);
      }),
      { numRuns: 20 },
    );
  });

  test('is the same guest in segments of any size', () => {
    const whole = booted(spec, undefined, PAGES * spec.pageSizeBytes);
    run(whole.machine, 400);
    for (const pages of [1, 2, 16]) {
      const { machine, bytes } = booted(spec, undefined, pages * spec.pageSizeBytes);
      run(machine, 400);
      expect(bytes.equals(whole.bytes)).toBe(true);
    }
  });

  test('marks every page that a step changes, page 0 with every step', () => {
    const marked = new Set<number>();
    const { machine, bytes } = booted(spec, (page) => marked.add(page));
    expect(marked.size).toBe(0);
    for (let step = 0; step < 200; step++) {
      const before = Buffer.from(bytes);
      marked.clear();
      machine.step();
      const changed = Array.from({ length: PAGES }, (_, page) => page).filter((page) => {
        const [from, to] = [page * spec.pageSizeBytes, (page + 1) * spec.pageSizeBytes];
        return bytes.compare(before, from, to, from, to) !== 0;
      });
      expect(marked).toEqual(new Set([0, ...changed]));
    }
  });

  test('makes its steps in the order of time, each when it is due', () => {
    const { machine } = booted(spec);
    let last = 0;
    for (let step = 1; step <= 1_000; step++) {
      const dueNs = machine.nextAtNs();
      expect(dueNs).toBeGreaterThanOrEqual(last);
      machine.step();
      expect(machine.timeNs).toBe(dueNs);
      expect(machine.steps).toBe(step);
      last = dueNs;
    }
    expect(last).toBeGreaterThan(0);
  });

  test('numbers its heartbeats without a gap, one a period', () => {
    const periodNs = spec.program.kind === 'stream' ? spec.program.framePeriodNs : spec.heartbeatPeriodNs;
    const { machine } = booted(spec);
    let beats = 0;
    for (let step = 0; step < 20_000 && beats < 50; step++) {
      const beat = machine.step();
      if (beat) beats += 1;
      expect(machine.heartbeats).toBe(beats);
      if (beat) expect(machine.timeNs).toBe(beats * periodNs);
    }
    expect(beats).toBe(50);
  });

  test('is another guest under another seed, and the same under the same', () => {
    const after = (seed: number) => {
      const { machine, bytes } = booted({ ...spec, seed });
      run(machine, 100);
      return bytes.toString('base64');
    };
    expect(after(5)).toBe(after(5));
    expect(after(5)).not.toBe(after(6));
  });

  test('boots with no page zero but those that are to be, and leaves them alone', () => {
    const some = { ...spec, zeroPages: 7 };
    const { machine, bytes } = booted(some);
    const zero = () =>
      Array.from({ length: PAGES }, (_, page) => page).filter((page) =>
        bytes
          .subarray(page * spec.pageSizeBytes, (page + 1) * spec.pageSizeBytes)
          .every((byte) => byte === 0),
      );
    expect(zero()).toEqual([53, 54, 55, 56, 57, 58, 59]);
    run(machine, 1_000);
    expect(zero()).toEqual([53, 54, 55, 56, 57, 58, 59]);
  });

  test('writes each page as often as is known of it', () => {
    const seconds = 200;
    const counts = new Float64Array(PAGES);
    for (const { page } of writesUntil(spec, seconds * SECOND)) counts[page]! += 1;
    const known = writesPerSecondOf(spec);
    expect(known.length).toBe(PAGES);
    // A fixed program is out by less than one repetition; a random one by five standard deviations of Poisson.
    const fixed = activityOf(spec).kind === 'timeline';
    for (let page = 1; page < PAGES; page++) {
      const expected = known[page]! * seconds;
      const bound = fixed ? 3 : 5 * Math.sqrt(expected) + 1e-9;
      expect(Math.abs(counts[page]! - expected), `${kind}, page ${page}`).toBeLessThanOrEqual(bound);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1_000);
  });
});

describe('what is known of a guest', () => {
  test('under Zipf’s law: the page of rank r has a share in proportion to r^−exponent', () => {
    for (const exponent of [0, 0.99, 2]) {
      const spec = guestOf({ kind: 'zipf', pages: 40, exponent, writesPerSecond: 300 });
      const rates = [...writesPerSecondOf(spec)].sort((a, b) => b - a);
      expect(rates.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(300, 9);
      expect(rates.slice(40).every((rate) => rate === 0)).toBe(true);
      for (let rank = 1; rank <= 40; rank++) {
        expect(rates[rank - 1]! / rates[0]!).toBeCloseTo(rank ** -exponent, 9);
      }
    }
  });

  test('in classes: so many pages of each rate, page 0 in the first class, the others scattered by the seed', () => {
    const spec = guestOf(programs.classes);
    const rates = writesPerSecondOf(spec);
    const pagesOf = (rate: number, of: Float64Array) => [...of.keys()].filter((page) => of[page] === rate);
    expect([40, 4, 0.4, 0].map((rate) => pagesOf(rate, rates).length)).toEqual([5, 20, 15, 20]);
    expect(rates[0]).toBe(40);
    expect(pagesOf(4, rates)).not.toEqual(pagesOf(4, writesPerSecondOf({ ...spec, seed: 6 })));
    const [first, last] = [pagesOf(4, rates)[0]!, pagesOf(4, rates).at(-1)!];
    expect(last - first).toBeGreaterThan(20);
  });
});

/** Intervals with ends of all kinds: on the instants of writes and repetitions, beside them and anywhere. */
const intervals = (marksNs: readonly number[], mostNs: number) => {
  const instant = fc.oneof(
    fc.integer({ min: 0, max: mostNs }),
    fc
      .tuple(fc.nat({ max: 20 }), fc.constantFrom(...marksNs), fc.integer({ min: -1, max: 1 }))
      .map(([times, mark, beside]) => Math.max(0, times * mark + beside)),
  );
  return fc.tuple(instant, instant).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
};

type Timeline = Extract<Activity, { kind: 'timeline' }>;

describe('what a fixed program is said to have written in (from, to]', () => {
  // Gaps of whole nanoseconds, so that both sides mean the same instants.
  const fixed: [string, ProgramSpec][] = [
    ['sequential', { kind: 'sequential', pages: 17, writesPerSecond: 125 }],
    ['sequential, two pages', { kind: 'sequential', pages: 2, writesPerSecond: 50 }],
    ['saturating', { kind: 'saturating', pages: 17, writesPerSecond: 125 }],
    ['stream', programs.stream],
    [
      'stream, busy all the time',
      { ...programs.stream, cpuPerFrameNs: 40 * MS, pagesPerFrame: 8 } as ProgramSpec,
    ],
    ['stream, no CPU', { ...programs.stream, cpuPerFrameNs: 0 } as ProgramSpec],
    [
      'stream, ring shorter than a frame',
      { ...programs.stream, cpuPerFrameNs: 6 * MS, bufferPages: 4 } as ProgramSpec,
    ],
    ['trace', programs.trace],
    [
      'trace, writes at its very ends',
      {
        kind: 'trace',
        recording: recording(100, [
          [0, [5]],
          [40, [6, 7]],
          [100, [8, 9]],
        ]),
      },
    ],
  ];
  const UNTIL = 1_000 * MS;

  test.each(fixed)('is what its steps write: %s', (_, program) => {
    const spec = guestOf(program);
    const writes = writesUntil(spec, UNTIL);
    expect(writes.length).toBeGreaterThan(20);
    const activity = activityOf(spec) as Timeline;
    fc.assert(
      fc.property(intervals([8 * MS, 20 * MS, 40 * MS, 100 * MS, 130 * MS], UNTIL), ([fromNs, toNs]) => {
        fc.pre(toNs <= UNTIL);
        const said = new Map<number, number>();
        activity.lastWrites(fromNs, toNs, (page, atNs) => {
          if (page !== 0) said.set(page, Math.max(atNs, said.get(page) ?? 0));
        });
        const done = new Map<number, number>();
        for (const { page, atNs } of writes) if (fromNs < atNs && atNs <= toNs) done.set(page, atNs);
        const byPage = (map: Map<number, number>) =>
          [...map].toSorted(([a], [b]) => a - b).map(([page, atNs]) => [page, Math.round(atNs)]);
        expect(byPage(said)).toEqual(byPage(done));
      }),
      { numRuns: 500 },
    );
  });

  test.each(fixed)('is the same whether it is asked at once or piece by piece: %s', (_, program) => {
    const activity = activityOf(guestOf(program)) as Timeline;
    const pagesIn = (fromNs: number, toNs: number) => {
      const pages = new Set<number>();
      activity.lastWrites(fromNs, toNs, (page) => pages.add(page));
      return pages;
    };
    const instants = fc.array(fc.integer({ min: 0, max: UNTIL }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(instants, (unsorted) => {
        const at = unsorted.toSorted((a, b) => a - b);
        const pieces = at.slice(1).flatMap((toNs, index) => [...pagesIn(at[index]!, toNs)]);
        expect(new Set(pieces)).toEqual(pagesIn(at[0]!, at.at(-1)!));
      }),
    );
  });
});

describe('what a random program has written in an interval', () => {
  const classes = [
    { pages: 100, writesPerSecond: 50 },
    { pages: 200, writesPerSecond: 8 },
    { pages: 300, writesPerSecond: 0.7 },
    { pages: 100, writesPerSecond: 0 },
  ];
  const poisson: [string, ProgramSpec][] = [
    ['classes', { kind: 'classes', classes }],
    ['zipf', { kind: 'zipf', pages: 600, exponent: 0.99, writesPerSecond: 4_000 }],
  ];
  const INTERVAL = 40 * MS;
  const REPETITIONS = 150;

  /** Pages of like rate, so that each group has many draws. */
  function groupsOf(spec: GuestSpec): { readonly rates: Float64Array; readonly groups: number[][] } {
    const rates = writesPerSecondOf(spec);
    const groups = new Map<number, number[]>();
    for (let page = 1; page < spec.pages; page++) {
      const key = rates[page] === 0 ? -99 : Math.floor(Math.log2(rates[page]!));
      groups.set(key, [...(groups.get(key) ?? []), page]);
    }
    return { rates, groups: [...groups.values()] };
  }

  /** Within four standard errors of Σ 1 − exp(−λt), group by group. */
  function expectProbabilities(
    spec: GuestSpec,
    dirtyTimes: Float64Array,
    exposureNs: (page: number) => number,
  ): void {
    const { rates, groups } = groupsOf(spec);
    for (const pages of groups) {
      const chances = pages.map((page) => -Math.expm1((-rates[page]! * exposureNs(page)) / SECOND));
      const mean = chances.reduce((sum, p) => sum + p, 0) * REPETITIONS;
      const variance = chances.reduce((sum, p) => sum + p * (1 - p), 0) * REPETITIONS;
      const seen = pages.reduce((sum, page) => sum + dirtyTimes[page]!, 0);
      expect(
        Math.abs(seen - mean),
        `${pages.length} pages, ${mean} expected, ${seen} seen`,
      ).toBeLessThanOrEqual(4 * Math.sqrt(variance));
    }
  }

  test.each(poisson)('by its steps: each page with probability 1 − exp(−λt): %s', (_, program) => {
    const spec = guestOf(program, { pages: 800, seed: 21 });
    const dirtyTimes = new Float64Array(spec.pages);
    let dirty = new Set<number>();
    const { machine } = booted(spec, (page) => dirty.add(page));
    for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
      while (machine.nextAtNs() <= repetition * INTERVAL) machine.step();
      for (const page of dirty) dirtyTimes[page]! += 1;
      dirty = new Set();
    }
    expectProbabilities(spec, dirtyTimes, () => INTERVAL);
  });

  test.each(
    poisson,
  )('in virtual time: likewise, from the instant at which a page was cleared: %s', (_, program) => {
    const spec = guestOf(program, { pages: 800, seed: 21 });
    const guest = new VirtualGuest(spec, Random.seeded(22));
    // Every third page long ago, every third in the middle of the interval, every third a quarter before its end.
    const exposure = (page: number) => [INTERVAL, INTERVAL / 2, INTERVAL / 4][page % 3]!;
    const dirtyTimes = new Float64Array(spec.pages);
    for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
      const toNs = repetition * INTERVAL;
      const cleared = Float64Array.from({ length: spec.pages }, (_, page) =>
        page % 3 === 0 ? 0 : toNs - exposure(page),
      );
      const dirty = new PageSet(spec.pages);
      guest.writes(toNs - INTERVAL, toNs, cleared, dirty);
      dirty.each((page) => {
        dirtyTimes[page]! += 1;
      });
    }
    expectProbabilities(spec, dirtyTimes, exposure);
  });

  test.each(poisson)('in virtual time: pages independently of each other: %s', (_, program) => {
    const spec = guestOf(program, { pages: 800, seed: 21 });
    const rates = writesPerSecondOf(spec);
    const guest = new VirtualGuest(spec, Random.seeded(23));
    const counts = Array.from({ length: 600 }, (_, repetition) => {
      const dirty = new PageSet(spec.pages);
      guest.writes(repetition * INTERVAL, (repetition + 1) * INTERVAL, new Float64Array(spec.pages), dirty);
      dirty.delete(0);
      return dirty.count();
    });
    const chances = [...rates.slice(1)].map((rate) => -Math.expm1((-rate * INTERVAL) / SECOND));
    const mean = chances.reduce((sum, p) => sum + p, 0);
    const variance = chances.reduce((sum, p) => sum + p * (1 - p), 0);
    const seenMean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const seenVariance =
      counts.reduce((sum, count) => sum + (count - seenMean) ** 2, 0) / (counts.length - 1);
    expect(Math.abs(seenMean - mean)).toBeLessThan(4 * Math.sqrt(variance / counts.length));
    // The standard error of a variance is about σ²·√(2/n).
    expect(Math.abs(seenVariance / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / counts.length));
  });
});

describe('the virtual guest', () => {
  const never = (spec: GuestSpec) => new Float64Array(spec.pages);

  test('has written what the fixed program writes, but for what was cleared afterwards', () => {
    const spec = guestOf({ kind: 'sequential', pages: 17, writesPerSecond: 125 });
    const writes = writesUntil(spec, 400 * MS);
    const cleared = fc.array(fc.integer({ min: 0, max: 400 * MS }), { minLength: PAGES, maxLength: PAGES });
    fc.assert(
      fc.property(intervals([8 * MS], 400 * MS), cleared, ([fromNs, toNs], clearedAt) => {
        const dirty = new PageSet(PAGES);
        new VirtualGuest(spec, Random.seeded(1)).writes(fromNs, toNs, Float64Array.from(clearedAt), dirty);
        dirty.delete(0);
        const expected = writes.filter(
          ({ page, atNs }) => atNs > Math.max(fromNs, clearedAt[page]!) && atNs <= toNs,
        );
        expect([...dirty.toArray()]).toEqual(
          [...new Set(expected.map(({ page }) => page))].sort((a, b) => a - b),
        );
      }),
    );
  });

  test('has written page 0 with every step, heartbeats among them, since it was cleared', () => {
    const spec = guestOf({ kind: 'sequential', pages: 17, writesPerSecond: 4 });
    const guest = new VirtualGuest(spec, Random.seeded(1));
    const dirties = (fromNs: number, toNs: number, clearedAt0 = 0) => {
      const dirty = new PageSet(PAGES);
      guest.writes(
        fromNs,
        toNs,
        Float64Array.from({ length: PAGES }, () => clearedAt0),
        dirty,
      );
      return dirty.has(0);
    };
    // Beats are due at 10, 20, … ms, writes at 250, 500, … ms.
    expect(dirties(0, 10 * MS - 1)).toBe(false);
    expect(dirties(0, 10 * MS)).toBe(true);
    expect(dirties(10 * MS, 20 * MS - 1)).toBe(false);
    expect(dirties(0, 15 * MS, 10 * MS)).toBe(false);
    expect(dirties(0, 15 * MS, 10 * MS - 1)).toBe(true);
    const rare = new VirtualGuest({ ...spec, heartbeatPeriodNs: SECOND }, Random.seeded(1));
    const dirty = new PageSet(PAGES);
    rare.writes(200 * MS, 251 * MS, never(spec), dirty);
    expect([...dirty.toArray()]).toEqual([0]);
  });

  test('writes nothing in no time, and draws no number for it', () => {
    const spec = guestOf(programs.classes);
    const [random, untouched] = [Random.seeded(9), Random.seeded(9)];
    const dirty = new PageSet(PAGES);
    new VirtualGuest(spec, random).writes(5, 5, never(spec), dirty);
    expect(dirty.count()).toBe(0);
    expect(random.bits()).toBe(untouched.bits());
  });
});
