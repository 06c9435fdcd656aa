import { type Document, isScalar, Lexer, LineCounter, parseDocument, visit } from 'yaml';
import { inputLimits } from '../core/input-limits.ts';
import { reasonOf, TooLarge } from '../platform/failure.ts';
import { insistOnShape } from '../platform/json.ts';
import { type Problem, UsageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';
import { placeAt } from './place-at.ts';

/**
 * What a YAML file says.
 * @throws Failure it cannot be read
 * @throws TooLarge
 * @throws UsageError it is not YAML
 */
export function readYaml(file: string): unknown {
  return parseYaml(readText(file), file);
}

/**
 * What a text in YAML says, or in JSON, which is YAML.
 * @throws TooLarge
 * @throws UsageError it is not YAML
 */
export function parseYaml(text: string, file: string): unknown {
  const json = jsonOf(text, file);
  return json === undefined ? yamlOf(text, file) : json;
}

/** A list of a hundred thousand numbers is read in a moment. `undefined`: not JSON. */
function jsonOf(text: string, file: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  insistOnShape(text, file);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** More of what is wrong than anybody reads. */
const MOST_PROBLEMS = 20;

function yamlOf(text: string, file: string): unknown {
  insistOnSize(text, file);
  // Its own search for keys that stand twice compares every key with every other, and its own messages copy the text.
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  const wrong = [
    ...document.errors.map((error) => ({ at: error.pos[0], found: told(error) })),
    ...repeatedKeys(document),
  ].sort((one, other) => one.at - other.at);
  if (wrong.length > 0) {
    throw new UsageError(
      wrong.slice(0, MOST_PROBLEMS).map(({ at, found }): Problem => {
        return { path: file, expected: 'YAML', found, at: placeAt(file, text, lineCounter.linePos(at)) };
      }),
    );
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    // An alias without its anchor is only noticed here.
    throw new UsageError([{ path: file, expected: 'YAML', found: reasonOf(cause) }]);
  }
  insistOnDepth(value, file);
  return value;
}

/** What is nested a thousand times is more than the parser has stack for. */
function told(error: Error): string {
  const reason = reasonOf(error);
  return reason.includes('call stack') ? `more than ${inputLimits.nesting} levels of nesting` : reason;
}

/** Tokens are counted as they come, so that nothing is made of a text that has too many. */
function insistOnSize(text: string, file: string): void {
  const { yamlCharacters, yamlTokens } = inputLimits;
  if (text.length > yamlCharacters) throw new TooLarge(file, `YAML of at most ${yamlCharacters} characters`);
  let tokens = 0;
  for (const _ of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > yamlTokens) throw new TooLarge(file, `YAML of at most ${yamlTokens} words and marks`);
  }
}

/** Also what contains itself, by an alias, is too deep. */
function insistOnDepth(value: unknown, file: string, depth = 0): void {
  if (depth > inputLimits.nesting) {
    throw new TooLarge(file, `at most ${inputLimits.nesting} levels of nesting`);
  }
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) insistOnDepth(inner, file, depth + 1);
}

function repeatedKeys(document: Document): { at: number; found: string }[] {
  const repeated: { at: number; found: string }[] = [];
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value)) {
          repeated.push({ at: key.range?.[0] ?? 0, found: `the key ${String(key.value)} twice` });
        }
        keys.add(key.value);
      }
    },
  });
  return repeated;
}
