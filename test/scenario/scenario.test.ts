import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { freeCpu } from '../../src/core/cpu/cpu-plan.ts';
import { orderNames } from '../../src/core/migration/order/orders.ts';
import { expected } from '../../src/core/units.ts';
import { Failure } from '../../src/platform/failure.ts';
import { type Problem, UsageError } from '../../src/platform/problem.ts';
import { type Experiment, loadExperiment, seeded } from '../../src/scenario/scenario.ts';
import type { Setting } from '../../src/scenario/settings.ts';
import { plainNative } from '../../src/worlds/vm/native-settings.ts';
import { stopDefaults, stopRuleNames } from '../fixtures/stop-defaults.ts';

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
  return experiment.cells[0]!;
};

function problemsOf(document: unknown, settings: readonly Setting[] = []): readonly Problem[] {
  try {
    load(document, settings);
  } catch (cause) {
    if (cause instanceof UsageError) {
      return cause.problems.map(({ path, expected, found, at = path }) => ({
        path,
        expected,
        found,
        ...(path.endsWith('.yaml') && { at }),
      }));
    }
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
      settings: [],
      fleet: 0,
      share: null,
      guest: {
        name: 'guest',
        pages: 100,
        zeroPages: 0,
        pageSizeBytes: 4_096,
        program: { kind: 'sequential', writesPerSecond: 5, pages: 100 },
        heartbeatPeriodNs: 10_000_000,
        cpuPerWriteNs: 0,
      },
      cpu: freeCpu,
      antagonists: [],
      linkCapacityBytesPerSecond: Number.POSITIVE_INFINITY,
      linkLatencyNs: 0,
      deltas: false,
      native: plainNative,
      plan: {
        pages: 100,
        pageBytes: 4_112,
        order: 'threshold',
        heat: 'estimated',
        defer: null,
        clear: 'page',
        skip: false,
        stop: { rule: 'rounds', rounds: 1 },
        timeoutNs: null,
        stopTimeoutNs: 30e9,
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

  test.each(stopRuleNames)('stop rule %s has the parameters of its original, times with a unit', (rule) => {
    expect(only(load(migration({ stop: { rule } }))).plan.stop).toEqual(stopDefaults[rule]);
  });

  test('a parameter of a stop rule may be another', () => {
    const { stop } = only(load(migration({ stop: { rule: 'nova-steps', limit: '40ms', steps: 3 } }))).plan;
    expect(stop).toEqual({ ...stopDefaults['nova-steps'], limitNs: 40_000_000, steps: 3 });
  });

  test('a stop rule that might go on for ever has as long as 30 copies of the memory take; rounds end by themselves', () => {
    const timeout = (given: Node) => only(load(migration(given))).plan.timeoutNs;
    expect(timeout({ stop: { rounds: 3 } })).toBeNull();
    expect(timeout({ stop: { rule: 'downtime' } })).toBe(30 * 100 * 4_112 * 1_000);
    expect(timeout({ stop: { rule: 'downtime' }, timeout: '5s' })).toBe(5_000_000_000);
    expect(timeout({ stop: { rounds: 3 }, timeout: '5s' })).toBe(5_000_000_000);
  });

  test('a rule with an end of its own has no other time-out, unless a longest downtime may keep it from stopping', () => {
    const limit = (given: Node) => {
      const { timeoutNs, timeoutFrom } = only(load(migration(given))).plan;
      return [timeoutNs, timeoutFrom];
    };
    const ofCopies = [30 * 100 * 4_112 * 1_000, 'the default of 30 copies of the memory'];
    for (const rule of ['xen', 'phaul', 'cloud-hypervisor', 'nova-steps', 'kubevirt-stall']) {
      expect(limit({ stop: { rule } }), rule).toEqual([null, undefined]);
    }
    const maxDowntime = '300ms';
    expect(limit({ stop: { rule: 'xen', maxDowntime } })).toEqual(ofCopies);
    expect(limit({ stop: { rule: 'nova-steps', maxDowntime } })).toEqual([null, undefined]);
    expect(limit({ stop: { rule: 'cloud-hypervisor', onTimeout: 'ignore', maxDowntime } })).toEqual(ofCopies);
    expect(limit({ stop: { rule: 'downtime' }, timeout: 'none' })).toEqual([null, undefined]);
    expect(limit({ stop: { rule: 'downtime' }, timeout: '5s' })).toEqual([5e9, 'migration.timeout']);
  });

  test('a time-out may be written for each GiB of memory, in place of one', () => {
    const given = { stop: { rule: 'downtime' }, timeoutPerGiB: '150s', onTimeout: 'stop' };
    expect(only(load(migration(given))).plan).toMatchObject({
      timeoutNs: Math.ceil((150e9 * 100 * 4096) / 2 ** 30),
      timeoutFrom: 'migration.timeoutPerGiB',
      onTimeout: 'stop',
    });
    expect(problemsOf(migration({ ...given, timeout: '1s' }))).toMatchObject([
      { path: 'migration.timeoutPerGiB', expected: 'nothing beside migration.timeout' },
    ]);
  });

  test('any stop rule may have a longest downtime', () => {
    const stop = { rule: 'xen', maxDowntime: '300ms' };
    expect(only(load(migration({ stop }))).plan.stop).toEqual({ ...stopDefaults.xen, maxDowntimeNs: 300e6 });
  });

  test('a guest may stand for as long as ten copies of the memory take at b_d, at least 30 s', () => {
    const timeout = (given: Node) => only(load(given)).plan.stopTimeoutNs;
    expect(timeout(migration({}))).toBe(30_000_000_000);
    expect(timeout(migration({ stopTimeout: '250ms' }))).toBe(250_000_000);
    const slow = { ...migration({}), link: { rate: '1MB/s', stopRate: '10kB/s' } };
    expect(timeout(slow)).toBe(10 * 100 * 4_112 * 100_000);
    expect(problemsOf(migration({ stopTimeout: '0s' }))).toMatchObject([{ path: 'migration.stopTimeout' }]);
  });

  test('dirty bits are cleared page by page; otherwise by round or in chunks, and then pages may be skipped', () => {
    const plan = (given: Node) => only(load(migration(given))).plan;
    expect(plan({ clear: 'round', skip: true })).toMatchObject({ clear: 'round', skip: true });
    expect(plan({ clear: 'chunk(64)' })).toMatchObject({ clear: { chunkPages: 64 }, skip: false });
    expect(problemsOf(migration({ skip: true }))).toEqual([
      { path: 'migration.skip', expected: 'false when clear is page', found: 'true' },
    ]);
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
    const plans = cells.map(({ plan }) => [plan.order, plan.defer, plan.stop]);
    expect(plans).toEqual([
      ['address', null, { rule: 'rounds', rounds: 1 }],
      ['address', null, { rule: 'rounds', rounds: 3 }],
      ['lru', { threshold: 0.3 }, { rule: 'rounds', rounds: 1 }],
      ['lru', { threshold: 0.3 }, { rule: 'rounds', rounds: 3 }],
    ]);
    expect(cells[2]!.settings.map(({ path }) => path)).toEqual([
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

  test('says what concerns real machines alone', () => {
    const vm = { delta: true };
    const qemu = { xbzrle: '64MiB', multifd: 2, autoConverge: true };
    expect(only(load({ guest, link, vm, qemu }))).toMatchObject({
      deltas: true,
      native: { xbzrleCacheBytes: 64 * 2 ** 20, multifdChannels: 2, autoConverge: true },
    });
    expect(only(load({ guest, link, qemu: { xbzrle: 'none' } })).native).toEqual(plainNative);
  });

  test('of one run takes everything random from the seed of the run', () => {
    const scenario = only(load({ guest, link }));
    expect(seeded(scenario, 42)).toEqual({
      guest: { ...scenario.guest, seed: 42 },
      plan: { ...scenario.plan, seed: 42 },
      cpu: scenario.cpu,
      antagonists: [],
      linkCapacityBytesPerSecond: Number.POSITIVE_INFINITY,
      linkLatencyNs: 0,
      deltas: false,
      native: plainNative,
    });
  });
});

const pageCount = 'a whole number from 2 to 1073741824';
const aRate = `${expected.rate}, unlimited or elastic`;
/** How many there are is no business of these tests. */
const aProgram: string = expect.stringMatching(/^a program: \{ kind: classes \|/);
const deferral = 'none, { threshold, window } or { count, window }';
const clearing = 'page, round or chunk(pages)';
const stopRule: string = expect.stringMatching(/^a stop rule: /);

const classes = (...list: unknown[]) => ({
  guest: { pages: 9, program: { kind: 'classes', classes: list } },
  link,
});
const program = (given: Node, pages = 9) => ({ guest: { pages, program: given }, link });
const pageSizes = 'a page size that is a power of two from 512B to 1GiB';
const anOrder = `an order: ${orderNames.join(', ')}`;

const seedsOfThree = 'a whole number from 0 to 9007199254740989, as seeds count up to 2^53 − 1';

describe('what is wrong is said with its path, what was expected and what was found', () => {
  test.each<[string, string, string, unknown]>([
    ['guest', 'nothing', 'a guest: { pages or memory, program, … }', { link }],
    ['guest.pages', 'nothing', 'pages or memory', { guest: { program: guest.program }, link }],
    ['guest.pages', '1', pageCount, { guest: { ...guest, pages: 1 }, link }],
    ['guest.pages', '1.5', pageCount, { guest: { ...guest, pages: 1.5 }, link }],
    ['guest.pages', '"9"', pageCount, { guest: { ...guest, pages: '9' }, link }],
    ['guest.pages', '1e+300', pageCount, { guest: { ...guest, pages: 1e300 }, link }],
    ['guest.pageSize', '5000', pageSizes, { guest: { ...guest, pageSize: 5_000 }, link }],
    ['guest.pageSize', '"2GiB"', pageSizes, { guest: { ...guest, pageSize: '2GiB' }, link }],
    [
      'guest.heartbeat',
      '"0ms"',
      `${expected.duration} of at least 10 µs`,
      { guest: { ...guest, heartbeat: '0ms' }, link },
    ],
    ['guest.program', 'nothing', aProgram, { guest: { pages: 9 }, link }],
    ['guest.program.kind', '"x"', aProgram, program({ kind: 'x' })],
    ['guest.program.classes', 'nothing', 'a list of classes', program({ kind: 'classes' })],
    ['guest.program.classes', '[]', 'at least one class', classes()],
    [
      'guest.program.classes.0.writesPerSecond',
      '-1',
      'a number of writes a second, 0 or more',
      classes({ pages: 1, writesPerSecond: -1 }),
    ],
    [
      'guest.program.writesPerSecond',
      '0',
      'a number of writes a second above 0',
      program({ kind: 'sequential', writesPerSecond: 0 }),
    ],
    ['guest.program.file', 'nothing', 'the path of a recording', program({ kind: 'trace' })],
    ['link', 'nothing', 'a link: { rate, … }', { guest }],
    ['link.rate', 'nothing', aRate, { guest, link: {} }],
    ['link.rate', '50', aRate, { guest, link: { rate: 50 } }],
    ['link.rate', '"0Mbit/s"', aRate, { guest, link: { rate: '0Mbit/s' } }],
    ['link.capacity', '"unlimited"', expected.rate, { guest, link: { ...link, capacity: 'unlimited' } }],
    ['link.depth', '"3GiB"', 'a size of at most 2 GiB', { guest, link: { ...link, depth: '3GiB' } }],
    ['link.rat', '"1MB/s"', 'no such key', { guest, link: { ...link, rat: '1MB/s' } }],
    ['migration.observe', '5', expected.duration, migration({ observe: 5 })],
    ['migration.window', '0', `${expected.duration} above 0`, migration({ window: 0 })],
    ['migration.order', '"best"', anOrder, migration({ order: 'best' })],
    ['migration.heat', '"guessed"', 'estimated or known', migration({ heat: 'guessed' })],
    ['migration.clear', '"never"', clearing, migration({ clear: 'never' })],
    ['migration.clear', '"chunk(0)"', clearing, migration({ clear: 'chunk(0)' })],
    ['migration.verify', 'true', 'checksums or full', migration({ verify: true })],
    ['migration.defer', '5', deferral, migration({ defer: 5 })],
    ['migration.defer', '{}', deferral, migration({ defer: {} })],
    [
      'migration.defer.threshold',
      '1.1',
      'a probability from 0 to 1',
      migration({ defer: { threshold: 1.1 } }),
    ],
    ['migration.stop', '3', stopRule, migration({ stop: 3 })],
    ['migration.stop.rule', '"never"', stopRule, migration({ stop: { rule: 'never' } })],
    ['migration.stop.rounds', '-1', 'a whole number from 0 to 10000', migration({ stop: { rounds: -1 } })],
    ['migration.stop.round', '3', 'no such key', migration({ stop: { round: 3 } })],
    ['runs', '0', 'a whole number from 1 to 1000000', { guest, link, runs: 0 }],
    ['seed', '-1', 'a whole number from 0 to 9007199254740991', { guest, link, seed: -1 }],
    ['seed', '9007199254740990', seedsOfThree, { guest, link, runs: 3, seed: 9007199254740990 }],
    ['describe', '5', 'a sentence', { guest, link, describe: 5 }],
    ['vm.delta', '"yes"', 'true or false', { guest, link, vm: { delta: 'yes' } }],
    ['vm.deltas', 'true', 'no such key', { guest, link, vm: { deltas: true } }],
    [
      'qemu.xbzrle',
      '"3MiB"',
      'none, or a size that is a power of two, at least 64KiB',
      { guest, link, qemu: { xbzrle: '3MiB' } },
    ],
    ['qemu.multifd', '300', 'a whole number from 0 to 255', { guest, link, qemu: { multifd: 300 } }],
    ['gest', '{"pages":3}', 'no such key', { guest, link, gest: { pages: 3 } }],
    ['compare', '3', 'paths with lists of values', { guest, link, compare: 3 }],
    ['compare.link.rate', '3', 'a list of values', { guest, link, compare: { 'link.rate': 3 } }],
    ['migration.order', '"best"', anOrder, { guest, link, compare: { 'migration.order': ['lru', 'best'] } }],
    ['migration.ordr', '"lru"', 'no such key', { guest, link, compare: { 'migration.ordr': ['lru'] } }],
  ])('%s: %s', (path, found, expected, document) => {
    expect(problemsOf(document)).toEqual([{ path, expected, found }]);
  });

  const room = 'room for a page and its header, 4112 bytes';
  const used = 'at least 10, which the program uses';
  const writesPerSecond = 1;
  test.each<[string, string, string, unknown]>([
    ['link.depth', '4111', room, { guest, link: { ...link, depth: 4_111 } }],
    [
      'link.rate',
      '2000000',
      'at most link.capacity',
      { guest, link: { rate: '2MB/s', stopRate: '1MB/s', capacity: '1MB/s' } },
    ],
    [
      'link.stopRate',
      '2000000',
      'at most link.capacity',
      { guest, link: { ...link, stopRate: '2MB/s', capacity: '1MB/s' } },
    ],
    ['guest.pages', '9', used, classes({ pages: 4, writesPerSecond }, { pages: 6, writesPerSecond })],
    ['guest.pages', '9', used, program({ kind: 'sequential', writesPerSecond, pages: 10 })],
    ['guest.pages', '601', 'at least 602, which the program uses', program({ kind: 'stream' }, 601)],
  ])('also where each value alone is right: %s: %s', (path, found, expected, document) => {
    expect(problemsOf(document)).toEqual([{ path, expected, found }]);
  });

  test('everything that is wrong is said at once, in every cell, but nothing twice', () => {
    const problems = problemsOf({
      guest: { ...guest, pages: 0 },
      link: { rate: 'fast' },
      runs: 0,
      compare: { 'migration.order': ['best', 'worst'], 'migration.stop.rounds': [-1, 1] },
    });
    expect(problems.map(({ path, found }) => `${path} ${found}`).sort()).toEqual([
      'guest.pages 0',
      'link.rate "fast"',
      'migration.order "best"',
      'migration.order "worst"',
      'migration.stop.rounds -1',
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
  test.each([
    ['migration', migration(3 as unknown as Node)],
    ['a class', classes(3)],
  ])('in the words of the scenario, not in those of a library: %s', (_, document) => {
    for (const problem of problemsOf(document)) expect(problem.expected).not.toMatch(/Invalid input/);
  });

  test('a number that JSON does not know is shown as it is', () => {
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
    const lines = problemsOf('guest:\n  pages: 1\n  pages: 2\nlink: {\n').map(({ at }) =>
      basename(at!.split('\n')[0]!),
    );
    expect(lines[0]).toBe('scenario.yaml:3:3');
    expect(lines.length).toBeGreaterThan(1);
  });

  test('that refers to an anchor it does not have is refused like any other mistake', () => {
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

  test('may begin anywhere before its end, and be faster than it was', () => {
    const starting = (start: string) => {
      const { guest, ...others } = withRecording(gzipSync(lines(50)));
      return load({ ...others, guest: { ...guest, program: { ...guest.program, start } } });
    };
    expect(only(starting('9ms')).guest.program).toMatchObject({ kind: 'trace', startNs: 9e6 });
    for (const start of ['10ms', '1h']) {
      expect(() => starting(start)).toThrow(
        /guest\.program\.start: expected less than 10 ms, the recording’s length/,
      );
    }
    for (const speed of [0, -1, 1_001, 'fast']) {
      const { guest, ...others } = withRecording(gzipSync(lines(50)));
      const faster = { ...others, guest: { ...guest, program: { ...guest.program, speed } } };
      expect(() => load(faster)).toThrow(/guest\.program\.speed: expected (a number above 0|at most 1000)/);
    }
    expect(() => starting('soon')).toThrow(/guest\.program\.start: expected a time such as/);
  });

  test('that is not there is a failure that names it', () => {
    const document = program({ kind: 'trace', file: 'nowhere.gz' }, 50);
    expect(() => load(document)).toThrow(Failure);
    expect(() => load(document)).toThrow(join(folder, 'nowhere.gz'));
  });

  test('that is damaged is a failure that says where', () => {
    const cut = gzipSync(lines(50)).subarray(0, -9);
    expect(() => load(withRecording(cut))).toThrow(Failure);
    expect(() => load(withRecording(cut))).toThrow(join(folder, 'recording.gz'));
    const wrong = gzipSync(lines(50).replace('[3]', '[50]'));
    expect(() => load(withRecording(wrong))).toThrow(
      `${join(folder, 'recording.gz')}:2: page 50, but the recording has 50 pages`,
    );
  });

  test('of more pages than the guest has does not fit', () => {
    expect(problemsOf(withRecording(gzipSync(lines(51))))).toEqual([
      { path: 'guest.pages', expected: 'at least 51, which the program uses', found: '50' },
    ]);
  });
});
