import { inputLimits } from '../core/input-limits.ts';
import { Failure, TooLarge } from './failure.ts';

/**
 * JSON of which nobody knows who wrote it. How deep it is nested and how many values it has is looked at first: what is made
 * of it can take fifty times the room of its text, and whatever walks through it later can run out of stack.
 * @param where for errors
 * @throws TooLarge
 * @throws Failure not JSON
 */
export function parseJson(text: string, where: string, mostValues: number = inputLimits.jsonValues): unknown {
  insistOnShape(text, where, mostValues);
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${where}: not JSON`);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [OPENING_BRACKET, CLOSING_BRACKET] = [0x5b, 0x5d];
const [OPENING_BRACE, CLOSING_BRACE] = [0x7b, 0x7d];

/** What `parseJson` looks at before it parses. @throws TooLarge */
export function insistOnShape(
  json: string,
  where: string,
  mostValues: number = inputLimits.jsonValues,
): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (code === COMMA) values += 1;
    else if (code === OPENING_BRACKET || code === OPENING_BRACE) {
      depth += 1;
      values += 1;
      if (depth > inputLimits.nesting)
        throw new TooLarge(where, `at most ${inputLimits.nesting} levels of nesting`);
    } else if (code === CLOSING_BRACKET || code === CLOSING_BRACE) depth -= 1;
    if (values > mostValues) throw new TooLarge(where, `at most ${mostValues} values`);
  }
}

/** Where the string that begins here ends: it may be a recording of megabytes, so not character by character. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return json.length;
}
