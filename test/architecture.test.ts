import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadExperiment } from '../src/scenario/scenario.ts';

const root = resolve(import.meta.dirname, '..');
const sources = filesBelow(join(root, 'src')).filter((file) => file.endsWith('.ts'));

/** From the ground up: lower floors know nothing of higher ones. */
const floors = [
  ...['core', 'model', 'platform', 'sched', 'workload', 'transport', 'observe', 'worlds'],
  ...['scenario', 'run', 'study', 'library', 'index.ts', 'daemon', 'cli'],
];
/** Each is a world of its own. */
const worlds = ['virtual', 'threads', 'vm'];

describe('imports', () => {
  test('the import rule has something to look at', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  test('point one way, downwards', () => {
    const upwards = edges().filter(
      ([from, to]) => floors.indexOf(floorOf(from)) < floors.indexOf(floorOf(to)),
    );
    expect(upwards).toEqual([]);
    // The command line may start a daemon; only its command does.
    const starts = edges().filter(([from, to]) => floorOf(from) === 'cli' && floorOf(to) === 'daemon');
    expect(new Set(starts.map(([from]) => from))).toEqual(new Set(['src/cli/serve.ts']));
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

describe('core', () => {
  const core = sources.filter((file) => floorOf(name(file)) === 'core');

  test('imports nothing but core', () => {
    const foreign = core.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => !specifier.startsWith('.'))
        .map((specifier) => `${name(file)}: ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });

  test('reads no clock, draws no unseeded numbers, does no IO and nothing asynchronous', () => {
    const forbidden =
      /\b(?:Date\b|performance\b|process\b|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|async\b|await\b|Promise\b|console\b|fetch\b|crypto\b|globalThis\b|Atomics\b)/;
    const found = core.flatMap((file) =>
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
