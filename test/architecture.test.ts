import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadExperiment } from '../src/scenario/scenario.ts';

const root = resolve(import.meta.dirname, '..');
const sources = filesBelow(join(root, 'src')).filter((file) => file.endsWith('.ts'));

/** From the ground up: lower floors know nothing of higher ones. */
const floors = [
  ...['core', 'model', 'platform', 'sched', 'workload', 'transport', 'qemu', 'observe', 'worlds'],
  ...['scenario', 'run', 'study', 'library', 'index.ts', 'daemon', 'cli'],
];
/** They import nothing but each other, and only compute. */
const pure = ['core', 'model'];
/** Each is a world of its own. */
const worlds = ['virtual', 'threads', 'vm', 'qemu'];
/** The most of all lines that one floor may hold. */
const MOST_OF_ALL = 0.22;

/** File names that stand more than once in src, and why. */
const sharedNames: Readonly<Record<string, readonly string[]>> = {
  'a command is called like what it runs': [
    ...['doctor', 'migrate', 'predict', 'recover', 'run', 'schedule', 'stress', 'sweep'],
  ],
  'a command is called like what it writes': ['plan', 'record', 'recording'],
  'a face of the library is called like its room': ['run', 'scenario'],
  'what a scenario says of something is called like it': ['program'],
  'a figure is called like what it shows': ['distribution', 'rounds'],
  'a page order is called like how it decides; so is what a scenario must keep to': ['threshold'],
  'of steps that were carried out, and of page writes: both are traces': ['trace'],
};

describe('time', () => {
  // A wall clock can be set: whoever waits by it waits for hours, or not at all.
  test('is told by the monotonic clock; the wall clock, which only shows it, is read in one file', () => {
    const readers = sources.filter((file) =>
      /Date\.now|new Date\(\)|timeOrigin/.test(readFileSync(file, 'utf8')),
    );
    expect(readers.map(name)).toEqual(['src/platform/clock.ts']);
  });
});

describe('imports', () => {
  test('the import rule has something to look at', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  test('have a floor each, and every floor has files', () => {
    expect(new Set(sources.map((file) => floorOf(name(file))))).toEqual(new Set(floors));
  });

  test('point one way, downwards', () => {
    const upwards = edges().filter(
      ([from, to]) => floors.indexOf(floorOf(from)) < floors.indexOf(floorOf(to)),
    );
    expect(upwards).toEqual([]);
    // The command line may start a daemon, or what exports metrics under the daemon's names; only their commands do.
    const starts = edges().filter(([from, to]) => floorOf(from) === 'cli' && floorOf(to) === 'daemon');
    expect(new Set(starts.map(([from]) => from))).toEqual(new Set(['src/cli/serve.ts', 'src/cli/watch.ts']));
  });

  test('do not lead from one world to another', () => {
    const across = edges().filter(([from, to]) => {
      const [one, other] = [worldOf(from), worldOf(to)];
      return one !== undefined && other !== undefined && one !== other;
    });
    expect(across).toEqual([]);
  });

  test('never name a face of the library, which is for others', () => {
    const faces = edges().filter(([, to]) => ['library', 'index.ts'].includes(floorOf(to)));
    expect(faces).toEqual([]);
  });

  test('do not run in circles', () => {
    const next = new Map<string, string[]>();
    for (const [from, to] of edges()) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const to of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of next.keys()) visit(file, []);
    expect(circles).toEqual([]);
  });
});

describe.each(pure)('%s', (floor) => {
  const own = sources.filter((file) => floorOf(name(file)) === floor);

  test('imports nothing but core and model', () => {
    const foreign = own.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !specifier.startsWith('.') || !pure.includes(floorOfImport(file, specifier)))
        .map((specifier) => `${name(file)}: ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });

  test('reads no clock, draws no unseeded numbers, does no IO and nothing asynchronous', () => {
    const forbidden =
      /\b(?:Date\b|performance\b|process\b|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|async\b|await\b|Promise\b|console\b|fetch\b|crypto\b|globalThis\b|Atomics\b)/;
    const found = own.flatMap((file) =>
      withoutComments(readFileSync(file, 'utf8'))
        .split('\n')
        .filter((line) => forbidden.test(line))
        .map((line) => `${name(file)}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });
});

describe('the house', () => {
  test('only cli/main.ts ends the process, but for destinations that die with their parent', () => {
    const exits = sources.filter((file) => /process\.exit\(/.test(readFileSync(file, 'utf8'))).map(name);
    expect(exits.sort()).toEqual(['src/cli/main.ts', 'src/transport/destination-process.ts']);
  });

  test('has no drawers and no file of more than 300 lines', () => {
    expect(sources.filter((file) => /\/(utils?|helpers?|common|misc)\.ts$/.test(file))).toEqual([]);
    expect(sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 300).map(name)).toEqual(
      [],
    );
  });

  test(`no floor holds more than ${100 * MOST_OF_ALL} % of all lines`, () => {
    const linesOf = (files: readonly string[]) =>
      files.reduce((sum, file) => sum + readFileSync(file, 'utf8').split('\n').length - 1, 0);
    const most = MOST_OF_ALL * linesOf(sources);
    const large = floors
      .map((floor) => [floor, linesOf(sources.filter((file) => floorOf(name(file)) === floor))] as const)
      .filter(([, lines]) => lines > most);
    expect(large).toEqual([]);
  });

  test('no file name stands twice without a reason', () => {
    const times = new Map<string, number>();
    for (const file of sources) {
      const own = basename(file, '.ts');
      times.set(own, (times.get(own) ?? 0) + 1);
    }
    const twice = [...times].filter(([, count]) => count > 1).map(([own]) => own);
    expect(twice.sort()).toEqual([...new Set(Object.values(sharedNames).flat())].sort());
  });

  test('every numbered file in config/ is a scenario that can be run', () => {
    const configs = readdirSync(join(root, 'config')).filter((file) => /^\d/.test(file));
    expect(configs.length).toBeGreaterThanOrEqual(2);
    for (const config of configs) {
      const experiment = loadExperiment(join(root, 'config', config));
      expect(experiment.describe, config).not.toBe('');
      expect(experiment.cells.length, config).toBeGreaterThan(0);
    }
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function name(file: string): string {
  return relative(root, file);
}

function floorOf(file: string): string {
  return file.split('/')[1]!;
}

/** Of what is imported by a relative path. */
function floorOfImport(file: string, specifier: string): string {
  return floorOf(name(join(dirname(file), specifier)));
}

function worldOf(file: string): string | undefined {
  return worlds.find((world) => file.startsWith(`src/worlds/${world}/`));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map((match) => match[1]!);
}

/** Every import between files of the project. */
function edges(): [string, string][] {
  return sources.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier): [string, string] => [name(file), name(join(dirname(file), specifier))]),
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
