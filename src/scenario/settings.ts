import { inputLimits } from '../core/input-limits.ts';
import { type Problem, shown, UsageError, usageError } from '../platform/problem.ts';
import { parseYaml } from './yaml-file.ts';

/** One change to a scenario: the value at a dotted path. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
}

/** `migration.stop.rounds=3` → a setting; the value is YAML. @throws UsageError not of that form. */
export function parseSetting(text: string): Setting {
  const split = text.indexOf('=');
  if (split < 1) throw usageError('--set', 'path=value', text);
  const path = text.slice(0, split).trim();
  return { path, value: writtenValue(`--set ${path}`, text.slice(split + 1)) };
}

function writtenValue(path: string, text: string): unknown {
  try {
    return parseYaml(text, path);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw usageError(path, 'a YAML value', text);
  }
}

/** The settings as an object, by path. */
export function byPath(settings: readonly Setting[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(settings.map(({ path, value }) => [path, value]));
}

/**
 * A copy of `document` with the settings made, in their order. What is not there yet is made.
 * @throws UsageError a path that has too many parts, or leaves a gap in a list
 */
export function withSettings<Document>(document: Document, settings: readonly Setting[]): Document {
  let result: unknown = structuredClone(document);
  for (const { path, value } of settings) {
    const parts = path.split('.');
    if (parts.length > inputLimits.settingParts) {
      const expected = `a path of at most ${inputLimits.settingParts} parts`;
      throw new UsageError([{ path: path.slice(0, 60), expected, found: `${parts.length} parts` }]);
    }
    result = withValue(result, parts, value, path);
  }
  return result as Document;
}

function withValue(node: unknown, [key, ...rest]: readonly string[], value: unknown, path: string): unknown {
  if (key === undefined) return structuredClone(value);
  if (Array.isArray(node) && /^\d+$/.test(key)) {
    const index = Number(key);
    if (index > node.length) {
      throw new UsageError([{ path, expected: `a place from 0 to ${node.length} of the list`, found: key }]);
    }
    const copy = [...node];
    copy[index] = withValue(copy[index], rest, value, path);
    return copy;
  }
  const object = isObject(node) ? node : {};
  return { ...object, [key]: withValue(object[key], rest, value, path) };
}

/** What one key of a matrix varies: its alternatives, each a few settings that are made together. */
export type Axis = readonly (readonly Setting[])[];

/**
 * Every combination of `compare: { path: [value, …], … }`, each with the settings that make it. A key may name several paths, separated by
 * commas, whose values then change together: `a, b: [[1, 2], [3, 4]]`.
 * @throws UsageError something is not a list, a joint value has another length than its key, or there are too many.
 */
export function combinationsOf(compare: unknown): readonly (readonly Setting[])[] {
  const problems: Problem[] = [];
  const axes = axesOf('compare', compare, problems);
  if (problems.length > 0) throw new UsageError(problems);
  const combinations = axes.reduce((product, axis) => product * axis.length, 1);
  if (combinations > inputLimits.combinations) {
    const expected = `at most ${inputLimits.combinations} combinations`;
    throw new UsageError([{ path: 'compare', expected, found: shown(combinations) }]);
  }
  return axes.reduce<readonly (readonly Setting[])[]>(
    (combinations, axis) => combinations.flatMap((one) => axis.map((more) => [...one, ...more])),
    [[]],
  );
}

/** An axis for every key of a matrix; what is wrong with it is added to `problems`. */
export function axesOf(where: string, matrix: unknown, problems: Problem[]): readonly Axis[] {
  if (matrix === undefined || matrix === null) return [];
  if (!isObject(matrix)) {
    problems.push({ path: where, expected: 'paths with lists of values', found: shown(matrix) });
    return [];
  }
  return Object.entries(matrix).map(([key, values]) => alternativesOf(where, key, values, problems));
}

const ofTheWhole = ['runs', 'seed', 'describe', 'compare', 'sweep'];

/** The alternatives of one key of a matrix; what is wrong with them is added to `problems`. */
export function alternativesOf(where: string, key: string, values: unknown, problems: Problem[]): Axis {
  const path = `${where}.${key}`;
  const note = (at: string, expected: string, found: string) => problems.push({ path: at, expected, found });
  const paths = key.split(',').map((part) => part.trim());
  for (const whole of paths.filter((part) => ofTheWhole.includes(part.split('.')[0]!))) {
    note(path, 'a setting of the migration', `${whole}, which all cells share`);
  }
  if (!Array.isArray(values) || values.length === 0) {
    note(path, 'a list of values', shown(values));
    return [];
  }
  if (paths.length === 1) return values.map((value) => [{ path: key, value }]);
  return values.map((value, index) => {
    if (!Array.isArray(value) || value.length !== paths.length) {
      note(`${path}.${index}`, `a list of ${paths.length} values`, shown(value));
      return [];
    }
    return paths.map((name, position) => ({ path: name, value: value[position] }));
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
