import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../src/daemon/configuration.ts';
import { UsageError } from '../../src/platform/problem.ts';
import { loadExperiment } from '../../src/scenario/scenario.ts';
import { loadDesign } from '../../src/study/sweep/design.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-wrong-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, text);
  return file;
}

/** What is said of a file. */
function saidOf(read: () => unknown): string {
  try {
    read();
  } catch (cause) {
    if (cause instanceof UsageError) return cause.message;
    throw cause;
  }
  return 'nothing';
}

const right = {
  guest: 'guest: { pages: 8000, program: { kind: zipf, pages: 2000, exponent: 1, writesPerSecond: 300 } }',
  link: 'link: { rate: 200Mbit/s }',
  migration: 'migration: { stop: { rounds: 3 } }',
};

/** A scenario of which parts are written otherwise. */
function scenario(wrong: Partial<typeof right>, more = ''): string {
  return [...Object.values({ ...right, ...wrong }), more].join('\n');
}

describe('a scenario with one mistake is refused, and it is said what was meant', () => {
  test.each([
    // A letter too few, too many, or another one.
    [scenario({ link: 'link: { rte: 200Mbit/s }' }), 'rate'],
    [scenario({ link: 'lnk: { rate: 200Mbit/s }' }), 'link'],
    [scenario({ guest: right.guest.replace('exponent', 'exponnent') }), 'exponent'],
    [scenario({ guest: right.guest.replace('zipf', 'zipff') }), 'zipf'],
    [scenario({ guest: right.guest.replace('pages: 8000', 'page: 8000') }), 'pages'],
    [scenario({ migration: 'migration: { order: lur }' }), 'lru'],
    [scenario({ migration: 'migration: { order: Threshold }' }), 'threshold'],
    [scenario({ migration: 'migration: { verfy: full }' }), 'verify'],
    [scenario({ migration: 'migration: { verify: checksum }' }), 'checksums'],
    [scenario({ migration: 'migration: { stop: { rule: donwtime } }' }), 'downtime'],
    [scenario({}, 'cpu: { schedular: fair }'), 'scheduler'],
    [scenario({}, 'cpu: { scheduler: cbshard }'), 'cbs-hard'],
    [scenario({}, 'run: 3'), 'runs'],
    // Units.
    [scenario({ link: 'link: { rate: 200Mbits }' }), '200Mbit/s'],
    [scenario({ link: 'link: { rate: 200 }' }), '200Mbit/s'],
    [scenario({ link: 'link: { rate: 25 MB }' }), '25MB/s'],
    [scenario({ migration: 'migration: { observe: 500 }' }), '500ms'],
    [scenario({ migration: 'migration: { observe: 2 seconds }' }), '2s'],
    [scenario({ migration: 'migration: { timeout: 5 minutes }' }), '5min'],
    [scenario({ guest: right.guest.replace('pages: 8000', 'memory: 64 G') }), '64GiB'],
    [scenario({ guest: right.guest.replace('pages: 8000', 'pages: 8k') }), '8000'],
    [scenario({ guest: right.guest.replace('pages: 8000', 'pages: "8,000"') }), '8000'],
    // In the wrong place.
    [scenario({}, 'rate: 200Mbit/s'), 'link.rate'],
    [scenario({}, 'stopRate: 200Mbit/s'), 'link.stopRate'],
    [scenario({ migration: 'migration: { rounds: 3 }' }), 'migration.stop.rounds'],
    [scenario({ migration: 'migration: { maxDowntime: 300ms }' }), 'migration.stop.maxDowntime'],
    [scenario({}, 'program: { kind: zipf }'), 'guest.program'],
    [scenario({ link: 'link: { rate: 200Mbit/s, order: lru }' }), 'migration.order'],
    [scenario({ link: 'link.rate: 200Mbit/s' }), 'link: { rate: … }'],
    [scenario({}, 'grid: { link.rate: [100Mbit/s, 1Gbit/s] }'), 'sweep.grid'],
  ])('%#: %s means %s', (text, meant) => {
    expect(saidOf(() => loadExperiment(fileOf(text)))).toContain(`; did you mean ${meant}?`);
  });

  test('a path in a sweep belongs to its grid', () => {
    const text = scenario({}, 'sweep: { link.rate: [100Mbit/s, 1Gbit/s] }');
    expect(saidOf(() => loadDesign(fileOf(text), [], 'virtual'))).toContain(
      'did you mean grid: { link.rate: … }?',
    );
  });

  test('a file for another command is named, with that command', () => {
    const configuration = fileOf('receive: { listen: 127.0.0.1:7000 }');
    expect(saidOf(() => loadExperiment(configuration))).toContain(
      `did you mean switchover serve --config ${configuration}?`,
    );
    const aScenario = fileOf(scenario({}));
    expect(saidOf(() => loadConfiguration(aScenario))).toContain(`did you mean switchover run ${aScenario}?`);
  });
});

describe('what is wrong in a file is shown where it stands', () => {
  test('with line, column and the line itself', () => {
    const file = fileOf('guest:\n  pages: 10\n  program: { kind: zipff }\nlink: { rate: 1Gbit/s }\n');
    expect(
      saidOf(() => loadExperiment(file))
        .split('\n')
        .slice(1),
    ).toEqual([`  ${file}:3:14`, '      program: { kind: zipff }', '                 ^']);
  });

  test('also within a key that is a path, and what is not YAML', () => {
    const compared = fileOf(`${scenario({})}\ncompare: { migration.order: [lru, lur] }\n`);
    expect(saidOf(() => loadExperiment(compared))).toContain('did you mean lru?');
    const broken = fileOf('guest: { pages: 10\nlink: [');
    expect(saidOf(() => loadExperiment(broken))).toMatch(/wrong\.yaml:2:\d+\n {4}link: \[\n/);
  });

  test('what the command line says is not looked for in the file', () => {
    const file = fileOf(scenario({}));
    const said = saidOf(() => loadExperiment(file, [{ path: 'cpu.schedular', value: 'fair' }]));
    expect(said).toContain('cpu.schedular: expected no such key');
    expect(said).not.toContain(file);
  });
});
