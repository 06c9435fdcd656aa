import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/platform/problem.ts';
import { experimentOf, type ScenarioCell, scenarioOf } from '../../src/scenario/scenario.ts';

const KIB = 1024;
const GIB = 2 ** 30;
const idle = { kind: 'classes', classes: [{ pages: 1, writesPerSecond: 0 }] };
const saturating = { kind: 'saturating', writesPerSecond: 100 };

function cellOf(guest: object, link: object = { rate: '100Gbps' }): ScenarioCell {
  return experimentOf(scenarioOf({ guest, link }, { name: 'guest' })).cells[0]!;
}

function problemsOf(guest: object, link?: object): readonly string[] {
  try {
    cellOf(guest, link);
    return [];
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    return cause.problems.map(({ path, expected, found }) => `${path}: ${expected}, found ${found}`);
  }
}

describe('a guest that is given by its memory', () => {
  test('has the pages that make it up, whatever their size, and is the guest that these pages are', () => {
    const sizes = fc.record({
      pages: fc.integer({ min: 2, max: 1_000 }),
      power: fc.integer({ min: 9, max: 30 }),
    });
    fc.assert(
      fc.property(sizes, ({ pages, power }) => {
        const pageSize = 2 ** power;
        const memory = pages * pageSize;
        const cell = cellOf({ memory, pageSize, program: idle });
        expect(cell.guest).toMatchObject({ pages, pageSizeBytes: pageSize });
        expect(cell).toEqual(cellOf({ pages, pageSize, program: idle }));
      }),
    );
  });

  test('may be as large as hosts have it: 64 GiB, 1 TiB in huge pages', () => {
    expect(cellOf({ memory: '64GiB', program: idle }).guest.pages).toBe(2 ** 24);
    expect(cellOf({ memory: '64Gi', program: idle }).guest.pages).toBe(2 ** 24);
    expect(cellOf({ memory: '1TiB', pageSize: '2MiB', program: idle }).guest.pages).toBe(2 ** 19);
    expect(cellOf({ memory: '1TiB', pageSize: '1GiB', program: idle }).guest.pages).toBe(KIB);
    expect(cellOf({ memory: '1TiB', program: idle }).plan.pages).toBe(2 ** 28);
  });

  test('is refused where that is no number of whole pages, or too many or too few', () => {
    expect(problemsOf({ memory: '1GB', pageSize: '2MiB', program: idle })).toEqual([
      'guest.memory: whole pages of 2 MiB, found "1000000000 bytes"',
    ]);
    expect(problemsOf({ memory: '4KiB', program: idle })[0]).toMatch(
      /^guest\.memory: from 2 to \d+ pages of 4 KiB/,
    );
    expect(problemsOf({ memory: '1PiB', program: idle })[0]).toMatch(
      /^guest\.memory: .* at most 4 TiB, found/,
    );
    expect(problemsOf({ memory: '1GiB', pageSize: '2GiB', program: idle })).toHaveLength(1);
  });
});

test('what is said twice is refused together with all else that is wrong', () => {
  const program = { ...saturating, dirtyRate: '1MB/s', pages: 3, workingSet: '1MiB' };
  expect(problemsOf({ pages: 9, memory: '1GiB', program, pagesize: '4KiB' }, { rate: '4G' })).toEqual([
    'guest.program.writesPerSecond: writesPerSecond or dirtyRate, not both, found 100',
    'guest.program.pages: pages or workingSet, not both, found 3',
    'guest.pagesize: no such key, found "4KiB"',
    'guest.pages: pages or memory, not both, found 9',
    expect.stringMatching(/^link\.rate: a rate such as/),
  ]);
  expect(problemsOf({ program: { kind: 'zipf' } })).toEqual([
    'guest.program.writesPerSecond: writesPerSecond or dirtyRate, found nothing',
    'guest.pages: pages or memory, found nothing',
  ]);
});

describe.each(['saturating', 'sequential', 'zipf'])('a program of the kind %s', (kind) => {
  const programOf = (guest: object) => cellOf(guest).guest.program;

  test('may be given by its working set and by how fast it dirties pages, each counted whole', () => {
    const given = { kind, workingSet: '2GiB', dirtyRate: '300MB/s' };
    expect(programOf({ memory: '8GiB', program: given })).toEqual(
      programOf({ memory: '8GiB', program: { kind, pages: 2 ** 19, writesPerSecond: 300e6 / 4096 } }),
    );
    expect(programOf({ memory: '8GiB', pageSize: '2MiB', program: given })).toMatchObject({
      pages: KIB,
      writesPerSecond: 300e6 / 2 ** 21,
    });
  });

  test('has a working set of whole pages, which the guest must have', () => {
    expect(programOf({ pages: 9, program: { kind, workingSet: '5000B', writesPerSecond: 1 } })).toMatchObject(
      {
        pages: 2,
      },
    );
    expect(problemsOf({ memory: '1GiB', program: { kind, workingSet: '2GiB', writesPerSecond: 1 } })).toEqual(
      [`guest.memory / guest.pageSize: at least ${2 ** 19}, which the program uses, found ${2 ** 18}`],
    );
    expect(problemsOf({ memory: '1GiB', program: { kind, dirtyRate: '5TB/s' } })).toEqual([
      'guest.program.dirtyRate: at most 1000000000 pages a second, found "1220703125 pages a second"',
    ]);
  });
});

describe('pages', () => {
  test('are as large as a processor has them, up to 1 GiB, and the bucket holds one of them', () => {
    for (const pageSize of ['512B', '4KiB', '64KiB', '2MiB', '1GiB']) {
      const { plan, guest } = cellOf({ pages: 9, pageSize, program: idle }, { rate: '50Mbit/s' });
      expect(plan.depthBytes).toBeGreaterThanOrEqual(guest.pageSizeBytes + 16);
    }
    expect(cellOf({ pages: 9, pageSize: '1GiB', program: idle }).plan.depthBytes).toBe(GIB + 16);
    for (const pageSize of ['256B', '3MiB', '2GiB', '1000000B']) {
      expect(problemsOf({ pages: 9, pageSize, program: idle })).toEqual([
        `guest.pageSize: a page size that is a power of two from 512B to 1GiB, found "${pageSize}"`,
      ]);
    }
  });
});

describe('devices', () => {
  test('add a state and a time to every stop, which the plan knows', () => {
    const { guest, plan } = cellOf({ pages: 9, program: idle, device: { state: '2GiB', time: '732ms' } });
    expect(guest.device).toEqual({ stateBytes: 2 * GIB, timeNs: 732e6 });
    expect(plan.device).toEqual(guest.device);
    expect(cellOf({ pages: 9, program: idle, device: { time: '10s' } }).plan.stopTimeoutNs).toBeGreaterThan(
      100e9,
    );
  });

  test('that add nothing are none', () => {
    expect(cellOf({ pages: 9, program: idle, device: {} })).toEqual(cellOf({ pages: 9, program: idle }));
    expect(problemsOf({ pages: 9, program: idle, device: { state: '2TiB', times: '1s' } })).toHaveLength(2);
  });
});
