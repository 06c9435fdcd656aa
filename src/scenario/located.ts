import { isCollection, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { type Problem, UsageError } from '../platform/problem.ts';
import { placeAt } from './place-at.ts';

/** In a longer text nobody looks for a place by its line, and to find it would take too long. */
const LONGEST_CHARACTERS = 200_000;

/**
 * Reads what a file says, and says of everything that is wrong with it where it stands there: line, column, and the line itself.
 * @throws UsageError what `read` finds wrong
 */
export function locating<Read>(file: string, text: string, read: () => Read): Read {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof UsageError) || text.length > LONGEST_CHARACTERS) throw cause;
    throw new UsageError(located(cause.problems, file, text));
  }
}

function located(problems: readonly Problem[], file: string, text: string): readonly Problem[] {
  const lineCounter = new LineCounter();
  const { contents } = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  return problems.map((problem) => {
    if (problem.at !== undefined) return problem;
    const offset = offsetOf(contents, problem.path.split('.'));
    return offset === undefined
      ? problem
      : { ...problem, at: placeAt(file, text, lineCounter.linePos(offset)) };
  });
}

/** Where the key of a path begins, or the nearest one around it that is there; undefined: not even its first. */
function offsetOf(contents: unknown, path: readonly string[]): number | undefined {
  let node = contents;
  let offset: number | undefined;
  let rest = path;
  while (rest.length > 0 && isCollection(node)) {
    // A key may have points in it, as in `compare: { migration.order: … }`.
    const found = isMap(node) ? pairOf(node.items, rest) : itemOf(node.items, rest);
    if (!found) return offset;
    offset = found.offset ?? offset;
    node = found.value;
    rest = rest.slice(found.parts);
  }
  return offset;
}

interface Found {
  readonly offset: number | undefined;
  readonly value: unknown;
  /** How many parts of the path it takes. */
  readonly parts: number;
}

function pairOf(items: readonly unknown[], path: readonly string[]): Found | undefined {
  for (let parts = path.length; parts > 0; parts--) {
    const key = path.slice(0, parts).join('.');
    for (const item of items) {
      if (!isPair(item) || !isScalar(item.key) || String(item.key.value) !== key) continue;
      return { offset: item.key.range?.[0], value: item.value, parts };
    }
  }
  return undefined;
}

function itemOf(items: readonly unknown[], [place]: readonly string[]): Found | undefined {
  const value = items[Number(place)] as { range?: readonly number[] | null } | undefined;
  return value && { offset: value.range?.[0], value, parts: 1 };
}
