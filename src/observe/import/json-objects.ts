import { inputLimits } from '../../core/input-limits.ts';
import { parseJson } from '../../platform/json.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** The objects of a text, and how much of it was none. */
export interface JsonObjects {
  readonly objects: readonly JsonObject[];
  /** Objects that are damaged, or whose end or beginning is missing. */
  readonly damaged: number;
}

/**
 * The outermost objects of a text in JSON: one, a list, or one after the other, on lines of their own or not. A text
 * that begins or ends in the middle of one gives the others; of one alone that has no end, what stands before its last comma.
 */
export function jsonObjects(text: string): JsonObjects {
  const objects: JsonObject[] = [];
  let [depth, start, damaged] = [0, 0, 0];
  for (let at = 0; at < text.length && objects.length < inputLimits.importedSamples; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE && depth > 0) at = endOfString(text, at);
    else if (code === OPENING_BRACE) {
      if (depth === 0) start = at;
      depth += 1;
    } else if (code === CLOSING_BRACE && depth === 0) damaged += 1;
    else if (code === CLOSING_BRACE) {
      depth -= 1;
      if (depth > 0) continue;
      const found = objectOf(text.slice(start, at + 1));
      if (found) objects.push(found);
      else damaged += 1;
    }
  }
  if (depth > 0 && objects.length === 0) objects.push(...beginningOf(text.slice(start)));
  return { objects, damaged: damaged + (depth > 0 ? 1 : 0) };
}

/** Of an object without an end, what is whole: up to its last comma, with what is open there closed. */
function beginningOf(text: string): readonly JsonObject[] {
  let whole = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = endOfString(text, at);
    else if (text[at] === ',') whole = at;
  }
  const open: string[] = [];
  for (let at = 0; at < whole; at++) {
    const code = text[at]!;
    if (code === '"') at = endOfString(text, at);
    else if (code === '{' || code === '[') open.push(code === '{' ? '}' : ']');
    else if (code === '}' || code === ']') open.pop();
  }
  const object = objectOf(text.slice(0, whole) + open.toReversed().join(''));
  return object ? [object] : [];
}

/** Where the string ends; one without an end takes the rest. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
  return text.length;
}

function objectOf(text: string): JsonObject | undefined {
  try {
    return parseJson(text, 'an object') as JsonObject;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A number that a key holds, if it is one that can be: not below 0, and exact. */
export function numberAt(object: JsonObject, key: string): number | null {
  const value = object[key];
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : null;
}

/** The same in another unit. */
export function scaledAt(object: JsonObject, key: string, unit: number): number | null {
  const value = numberAt(object, key);
  return value === null ? null : value * unit;
}
