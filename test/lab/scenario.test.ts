import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { orderNames } from '../../src/core/migration/order/orders.ts';
import { expected } from '../../src/core/units.ts';
import { type Problem, UsageError } from '../../src/lab/problem.ts';
import { type Experiment, loadExperiment, seeded } from '../../src/lab/scenario.ts';
import type { Setting } from '../../src/lab/settings.ts';
import { Failure } from '../../src/worlds/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-scenario-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Node = Record<string, unknown>;

const guest = { pages: 100, program: { kind: 'sequential', writesPerSecond: 5 } };
const link = { rate: '1MB/s' };
const migration = (rest: Node) => ({ guest, link, migration: rest });

function load(document: unknown, settings: readonly Setting[] = []): Experiment {
  return loadText(typeof document === 'string' ? document : stringify(document), settings);
}

function loadText(text: string, settings: readonly Setting[] = []): Experiment {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, text);
  return loadExperiment(file, settings);
}

const only = (experiment: Experiment) => {
  expect(experiment.cells.length).toBe(1);
  return experiment.cells[0]!.scenario;
};

function problemsOf(document: unknown, settings: readonly Setting[] = []): readonly Problem[] {
  try {
    load(document, settings);
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems;
    throw cause;
  }
  return [];
}

describe('what need not be said', () => {
  test('only pages, program and rate are required; everything else has its default', () => {
    const experiment = load({ guest, link });
    expect({ ...experiment, cells: [] }).toEqual({
      name: 'scenario',
      describe: '',
      runs: 1,
      seed: 1,
      cells: [],
    });
    expect(only(experiment)).toEqual({
      guest: {
        name: 'guest',
        pages: 100,
        pageSizeBytes: 4_096,
        program: { kind: 'sequential', writesPerSecond: 5, pages: 100 },
        heartbeatPeriodNs: 10_000_000,
      },
      plan: {
        pages: 100,
        pageBytes: 4_112,
        order: 'address',
        heat: 'estimated',
        defer: null,
        clear: 'page',
        stop: { rule: 'rounds', rounds: 1 },
        rateBytesPerSecond: 1_000_000,
        stopRateBytesPerSecond: 1_000_000,
        depthBytes: 65_536,
        observeNs: 4_000_000_000,
        windowNs: 40_000_000,
        halfLifeNs: 8_000_000_000,
        verify: 'checksums',
      },
    });
  });

  test('the stop rate is the rate of the rounds, unless something else is said, unlimited included', () => {
    const rates = (given: Node) => {
      const { plan } = only(load({ guest, link: given }));
      return [plan.rateBytesPerSecond, plan.stopRateBytesPerSecond];
    };
    expect(rates({ rate: '50Mbit/s' })).toEqual([6_250_000, 6_250_000]);
    expect(rates({ rate: '50Mbit/s', stopRate: '100Mbit/s' })).toEqual([6_250_000, 12_500_000]);
    expect(rates({ rate: '50Mbit/s', stopRate: 'unlimited' })).toEqual([6_250_000, null]);
    expect(rates({ rate: 'unlimited' })).toEqual([null, null]);
  });

  test('the bucket is deep enough for a sender that wakes 10 ms late, for a page, and no deeper than can be counted', () => {
    const depth = (given: Node, pageSize = '4KiB') =>
      only(load({ guest: { ...guest, pageSize }, link: given })).plan.depthBytes;
    expect(depth({ rate: '1MB/s' })).toBe(65_536);
    expect(depth({ rate: '1Gbit/s' })).toBe(1_250_000);
    expect(depth({ rate: '1MB/s', stopRate: '1Gbit/s' })).toBe(1_250_000);
    expect(depth({ rate: '100Gbit/s' })).toBe(8 * 2 ** 20);
    expect(depth({ rate: '1MB/s' }, '1MiB')).toBe(2 ** 20 + 16);
    expect(depth({ rate: '1Gbit/s', depth: '5000B' })).toBe(5_000);
  });

  test('a stop rule without a name is the paper’s', () => {
    expect(only(load(migration({ stop: { rounds: 3 } }))).plan.stop).toEqual({ rule: 'rounds', rounds: 3 });
    expect(only(load(migration({ stop: { rule: 'rounds' } }))).plan.stop).toEqual({
      rule: 'rounds',
      rounds: 1,
    });
  });

  test('deferring has a window of its own, which is then the window of all heat', () => {
    const plan = (given: Node) => only(load(migration(given))).plan;
    expect(plan({ defer: 'none' }).defer).toBeNull();
    expect(plan({ defer: { threshold: 0.3 } })).toMatchObject({
      defer: { threshold: 0.3 },
      windowNs: 40_000_000,
    });
    expect(plan({ defer: { threshold: 0.3, window: '20ms' }, window: '80ms' }).windowNs).toBe(20_000_000);
    expect(plan({ window: '80ms' }).windowNs).toBe(80_000_000);
  });

  test('a stream beats once a frame, and has the media server of the slides', () => {
    const { guest: resolved } = only(load({ guest: { pages: 602, program: { kind: 'stream' } }, link }));
    expect(resolved.heartbeatPeriodNs).toBe(40_000_000);
    expect(resolved.program).toEqual({
      kind: 'stream',
      framePeriodNs: 40_000_000,
      cpuPerFrameNs: 4_000_000,
      pagesPerFrame: 60,
      bufferPages: 600,
    });
  });
});

describe('an experiment', () => {
  test('is called by its file', () => {
    for (const [file, name] of [
      ['03-a.b.yaml', '03-a.b'],
      ['x.yml', 'x'],
      ['plain', 'plain'],
    ] as const) {
      writeFileSync(join(folder, file), stringify({ guest, link }));
      expect(loadExperiment(join(folder, file)).name).toBe(name);
    }
  });

  test('has a cell for every combination, and paths of one key change together', () => {
    const { cells } = load({
      guest,
      link,
      compare: {
        'migration.order, migration.defer': [
          ['address', 'none'],
          ['lru', { threshold: 0.3 }],
        ],
        'migration.stop.rounds': [1, 3],
      },
    });
    const plans = cells.map(({ scenario: { plan } }) => [plan.order, plan.defer, plan.stop]);
    expect(plans).toEqual([
      ['address', null, { rule: 'rounds', rounds: 1 }],
      ['address', null, { rule: 'rounds', rounds: 3 }],
      ['lru', { threshold: 0.3 }, { rule: 'rounds', rounds: 1 }],
      ['lru', { threshold: 0.3 }, { rule: 'rounds', rounds: 3 }],
    ]);
    expect(cells[2]!.cell.settings.map(({ path }) => path)).toEqual([
      'migration.order',
      'migration.defer',
      'migration.stop.rounds',
    ]);
  });

  test('takes settings before it expands its matrix, which therefore wins', () => {
    const document = { guest, link, runs: 2, compare: { 'migration.order': ['lru'] } };
    const settings = [
      { path: 'runs', value: 7 },
      { path: 'migration.order', value: 'random' },
      { path: 'guest.name', value: 'other' },
    ];
    const experiment = load(document, settings);
    expect(experiment.runs).toBe(7);
    expect(only(experiment).plan.order).toBe('lru');
    expect(only(experiment).guest.name).toBe('other');
    const alone = load(document, [{ path: 'compare', value: null }, ...settings]);
    expect(only(alone).plan.order).toBe('random');
  });

  test('of one run takes everything random from the seed of the run', () => {
    const scenario = only(load({ guest, link }));
    expect(seeded(scenario, 42)).toEqual({
      guest: { ...scenario.guest, seed: 42 },
      plan: { ...scenario.plan, seed: 42 },
    });
  });
});

const pageCount = 'a whole number from 2 to 4294967295';
const aRate = `${expected.rate}, or unlimited`;
/** How many there are is no business of these tests. */
const aProgram: string = expect.stringMatching(/^a program: \{ kind: classes \|/);
const stopRule: string = expect.stringMatching(/^a stop rule: /);

describe('what is wrong is said with its path, what was expected and what was found', () => {
  test.each<[string, unknown, Problem]>([
    ['no guest', { link }, { path: 'guest', expected: 'a guest: { pages, program, … }', found: 'nothing' }],
    ['no link', { guest }, { path: 'link', expected: 'a link: { rate, … }', found: 'nothing' }],
    [
      'no pages',
      { guest: { program: guest.program }, link },
      { path: 'guest.pages', expected: pageCount, found: 'nothing' },
    ],
    [
      'one page',
      { guest: { ...guest, pages: 1 }, link },
      { path: 'guest.pages', expected: pageCount, found: '1' },
    ],
    [
      'half a page',
      { guest: { ...guest, pages: 1.5 }, link },
      { path: 'guest.pages', expected: pageCount, found: '1.5' },
    ],
    [
      'pages as text',
      { guest: { ...guest, pages: '9' }, link },
      { path: 'guest.pages', expected: pageCount, found: '"9"' },
    ],
    [
      'too many pages',
      { guest: { ...guest, pages: 1e300 }, link },
      { path: 'guest.pages', expected: pageCount, found: '1e+300' },
    ],
    [
      'no program',
      { guest: { pages: 9 }, link },
      { path: 'guest.program', expected: aProgram, found: 'nothing' },
    ],
    [
      'an unknown program',
      { guest: { pages: 9, program: { kind: 'x' } }, link },
      { path: 'guest.program.kind', expected: aProgram, found: '"x"' },
    ],
    ['no rate', { guest, link: {} }, { path: 'link.rate', expected: aRate, found: 'nothing' }],
    [
      'a rate without a unit',
      { guest, link: { rate: 50 } },
      { path: 'link.rate', expected: aRate, found: '50' },
    ],
    [
      'no rate worth the name',
      { guest, link: { rate: '0Mbit/s' } },
      { path: 'link.rate', expected: aRate, found: '"0Mbit/s"' },
    ],
    [
      'an unlimited capacity',
      { guest, link: { ...link, capacity: 'unlimited' } },
      { path: 'link.capacity', expected: expected.rate, found: '"unlimited"' },
    ],
    [
      'too deep a bucket',
      { guest, link: { ...link, depth: '9MiB' } },
      { path: 'link.depth', expected: 'a size of at most 8 MiB', found: '"9MiB"' },
    ],
    [
      'a page size between',
      { guest: { ...guest, pageSize: 5_000 }, link },
      {
        path: 'guest.pageSize',
        expected: 'a page size that is a power of two from 512B to 1MiB',
        found: '5000',
      },
    ],
    [
      'no heartbeat',
      { guest: { ...guest, heartbeat: '0ms' }, link },
      { path: 'guest.heartbeat', expected: `${expected.duration} above 0`, found: '"0ms"' },
    ],
    [
      'a time without a unit',
      migration({ observe: 5 }),
      { path: 'migration.observe', expected: expected.duration, found: '5' },
    ],
    [
      'an unknown order',
      migration({ order: 'best' }),
      { path: 'migration.order', expected: `an order: ${orderNames.join(', ')}`, found: '"best"' },
    ],
    [
      'an unknown heat',
      migration({ heat: 'guessed' }),
      { path: 'migration.heat', expected: 'estimated or known', found: '"guessed"' },
    ],
    [
      'another clearing',
      migration({ clear: 'round' }),
      { path: 'migration.clear', expected: 'page', found: '"round"' },
    ],
    [
      'another verification',
      migration({ verify: true }),
      { path: 'migration.verify', expected: 'checksums or full', found: 'true' },
    ],
    [
      'an improbability',
      migration({ defer: { threshold: 1.1 } }),
      { path: 'migration.defer.threshold', expected: 'a probability from 0 to 1', found: '1.1' },
    ],
    [
      'no threshold',
      migration({ defer: {} }),
      { path: 'migration.defer.threshold', expected: 'a probability', found: 'nothing' },
    ],
    [
      'another deferral',
      migration({ defer: 5 }),
      { path: 'migration.defer', expected: 'none, or { threshold, window }', found: '5' },
    ],
    ['another stop', migration({ stop: 3 }), { path: 'migration.stop', expected: stopRule, found: '3' }],
    [
      'an unknown stop rule',
      migration({ stop: { rule: 'never' } }),
      { path: 'migration.stop.rule', expected: stopRule, found: '"never"' },
    ],
    [
      'no round',
      migration({ stop: { rounds: 0 } }),
      { path: 'migration.stop.rounds', expected: 'a whole number from 1 to 10000', found: '0' },
    ],
    [
      'no run',
      { guest, link, runs: 0 },
      { path: 'runs', expected: 'a whole number from 1 to 1000000', found: '0' },
    ],
    [
      'a negative seed',
      { guest, link, seed: -1 },
      { path: 'seed', expected: 'a whole number from 0 to 9007199254740991', found: '-1' },
    ],
    [
      'a number as description',
      { guest, link, describe: 5 },
      { path: 'describe', expected: 'a sentence', found: '5' },
    ],
    [
      'no classes',
      { guest: { pages: 9, program: { kind: 'classes' } }, link },
      { path: 'guest.program.classes', expected: 'a list of classes', found: 'nothing' },
    ],
    [
      'an empty list of classes',
      { guest: { pages: 9, program: { kind: 'classes', classes: [] } }, link },
      { path: 'guest.program.classes', expected: 'at least one class', found: '[]' },
    ],
    [
      'negative writes',
      {
        guest: { pages: 9, program: { kind: 'classes', classes: [{ pages: 1, writesPerSecond: -1 }] } },
        link,
      },
      {
        path: 'guest.program.classes.0.writesPerSecond',
        expected: 'a number of writes a second, 0 or more',
        found: '-1',
      },
    ],
    [
      'a sequence that never writes',
      { guest: { pages: 9, program: { kind: 'sequential', writesPerSecond: 0 } }, link },
      { path: 'guest.program.writesPerSecond', expected: 'a number of writes a second above 0', found: '0' },
    ],
    [
      'a trace without its file',
      { guest: { pages: 9, program: { kind: 'trace' } }, link },
      { path: 'guest.program.file', expected: 'the path of a recording', found: 'nothing' },
    ],
    [
      'an unknown key',
      { guest, link, gest: { pages: 3 } },
      { path: 'gest', expected: 'no such key', found: '{"pages":3}' },
    ],
    [
      'an unknown key within',
      { guest, link: { ...link, rat: '1MB/s' } },
      { path: 'link.rat', expected: 'no such key', found: '"1MB/s"' },
    ],
    [
      'an unknown key of a stop rule',
      migration({ stop: { round: 3 } }),
      { path: 'migration.stop.round', expected: 'no such key', found: '3' },
    ],
    [
      'no matrix',
      { guest, link, compare: 3 },
      { path: 'compare', expected: 'paths with lists of values', found: '3' },
    ],
    [
      'no alternatives',
      { guest, link, compare: { runs: 3 } },
      { path: 'compare.runs', expected: 'a list of values', found: '3' },
    ],
    [
      'an alternative that is wrong',
      { guest, link, compare: { 'migration.order': ['lru', 'best'] } },
      { path: 'migration.order', expected: `an order: ${orderNames.join(', ')}`, found: '"best"' },
    ],
    [
      'an alternative of what is not there',
      { guest, link, compare: { 'migration.ordr': ['lru'] } },
      { path: 'migration.ordr', expected: 'no such key', found: '"lru"' },
    ],
  ])('%s', (_, document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  test.each<[string, unknown, Problem]>([
    [
      'a bucket shallower than a page and its header',
      { guest, link: { ...link, depth: 4_111 } },
      { path: 'link.depth', expected: 'room for a page and its header, 4112 bytes', found: '4111' },
    ],
    [
      'a rate beyond the capacity',
      { guest, link: { rate: '2MB/s', stopRate: '1MB/s', capacity: '1MB/s' } },
      { path: 'link.rate', expected: 'at most link.capacity', found: '2000000' },
    ],
    [
      'a stop rate beyond the capacity',
      { guest, link: { ...link, stopRate: '2MB/s', capacity: '1MB/s' } },
      { path: 'link.stopRate', expected: 'at most link.capacity', found: '2000000' },
    ],
    [
      'more classes than pages',
      {
        guest: {
          pages: 9,
          program: {
            kind: 'classes',
            classes: [
              { pages: 4, writesPerSecond: 1 },
              { pages: 6, writesPerSecond: 0 },
            ],
          },
        },
        link,
      },
      { path: 'guest.pages', expected: 'at least 10, which the program uses', found: '9' },
    ],
    [
      'a longer sequence than memory',
      { guest: { pages: 9, program: { kind: 'sequential', writesPerSecond: 1, pages: 10 } }, link },
      { path: 'guest.pages', expected: 'at least 10, which the program uses', found: '9' },
    ],
    [
      'a stream without room for its medium',
      { guest: { pages: 601, program: { kind: 'stream' } }, link },
      { path: 'guest.pages', expected: 'at least 602, which the program uses', found: '601' },
    ],
  ])('also where each value alone is right: %s', (_, document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  test('everything that is wrong is said at once, in every cell, but nothing twice', () => {
    const problems = problemsOf({
      guest: { ...guest, pages: 0 },
      link: { rate: 'fast' },
      runs: 0,
      compare: { 'migration.order': ['best', 'worst'], 'migration.stop.rounds': [0, 1] },
    });
    expect(problems.map(({ path, found }) => `${path} ${found}`).sort()).toEqual([
      'guest.pages 0',
      'link.rate "fast"',
      'migration.order "best"',
      'migration.order "worst"',
      'migration.stop.rounds 0',
      'runs 0',
    ]);
    const message = new UsageError(problems).message.split('\n');
    expect(message.length).toBe(6);
    for (const line of message) expect(line).toMatch(/^[\w.]+: expected .+, found .+$/);
  });

  test('a setting is checked like the file', () => {
    expect(problemsOf({ guest, link }, [{ path: 'guest.pages', value: 'many' }])).toEqual([
      { path: 'guest.pages', expected: pageCount, found: '"many"' },
    ]);
  });

  test('a long value is cut short', () => {
    const [problem] = problemsOf({ guest, link, describe: Array(50).fill('word') });
    expect(problem!.found.length).toBeLessThanOrEqual(60);
    expect(problem!.found.endsWith('…')).toBe(true);
  });

  // Every message completes the sentence "expected …".
  test.fails.each([
    ['migration', migration(3 as unknown as Node)],
    ['a class', { guest: { pages: 9, program: { kind: 'classes', classes: [3] } }, link }],
  ])('in the words of the scenario, not in those of a library: %s', (_, document) => {
    for (const problem of problemsOf(document)) expect(problem.expected).not.toMatch(/Invalid input/);
  });

  test.fails('a number that JSON does not know is shown as it is', () => {
    const text = 'guest: { pages: .inf, program: { kind: stream } }\nlink: { rate: 1MB/s }';
    expect(problemsOf(text)[0]!.found).not.toBe('null');
  });
});

describe('a file', () => {
  test('that is not there is a failure that names it', () => {
    const file = join(folder, 'nowhere.yaml');
    expect(() => loadExperiment(file)).toThrow(Failure);
    expect(() => loadExperiment(file)).toThrow(`cannot read ${file}: `);
  });

  test.each([
    ['nothing', '', 'null'],
    ['a list', '[1]', '[1]'],
    ['a word', 'guest', '"guest"'],
  ])('that holds %s is no scenario', (_, text, found) => {
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ expected: 'a scenario', found });
    expect(basename(problem!.path)).toBe('scenario.yaml');
  });

  test('that is no YAML is refused with the line of each mistake', () => {
    const lines = problemsOf('guest:\n  pages: 1\n  pages: 2\nlink: {\n').map(({ path }) => basename(path));
    expect(lines[0]).toBe('scenario.yaml:3');
    expect(lines.length).toBeGreaterThan(1);
  });

  test.fails('that refers to an anchor it does not have is refused like any other mistake', () => {
    expect(problemsOf('guest: *nobody\n').length).toBe(1);
  });
});

describe('a recording', () => {
  const lines = (pages: number) =>
    `${JSON.stringify({ format: 'dirty-trace/1', pages, pageSizeBytes: 4_096, samples: 1 })}\n[10,[3]]\n`;
  const withRecording = (bytes: Uint8Array) => {
    writeFileSync(join(folder, 'recording.gz'), bytes);
    return { guest: { pages: 50, program: { kind: 'trace', file: 'recording.gz' } }, link };
  };

  test('is found beside the scenario, and goes with it, all of it', () => {
    const bytes = gzipSync(lines(50));
    expect(only(load(withRecording(bytes))).guest.program).toEqual({
      kind: 'trace',
      recording: bytes.toString('base64'),
    });
  });

  test('that is not there is a failure that names it', () => {
    const document = { guest: { pages: 50, program: { kind: 'trace', file: 'nowhere.gz' } }, link };
    expect(() => load(document)).toThrow(Failure);
    expect(() => load(document)).toThrow(join(folder, 'nowhere.gz'));
  });

  test('that is damaged is a failure that says where', () => {
    const cut = gzipSync(lines(50)).subarray(0, -9);
    expect(() => load(withRecording(cut))).toThrow(Failure);
    expect(() => load(withRecording(cut))).toThrow(join(folder, 'recording.gz'));
    const wrong = gzipSync(lines(50).replace('[3]', '[50]'));
    expect(() => load(withRecording(wrong))).toThrow(
      `${join(folder, 'recording.gz')}:2: page 50 of a recording of 50 pages`,
    );
  });

  test('of more pages than the guest has does not fit', () => {
    expect(problemsOf(withRecording(gzipSync(lines(51))))).toEqual([
      { path: 'guest.pages', expected: 'at least 51, as recorded', found: '50' },
    ]);
  });
});
