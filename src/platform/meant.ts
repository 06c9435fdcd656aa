import { distance } from 'fastest-levenshtein';
import { expected, parseDuration, parseRate, parseSize } from '../core/units.ts';

/** So many letters may be wrong, missing or too many, and no more than half of a word's. */
const MOST_WRONG = 2;

/** The word that somebody meant: the nearest one; undefined: none is near. */
export function nearestWord(written: string, words: Iterable<string>): string | undefined {
  let nearest: { readonly word: string; readonly wrong: number } | undefined;
  for (const word of words) {
    if (Math.abs(word.length - written.length) > MOST_WRONG) continue;
    const wrong = distance(written.toLowerCase(), word.toLowerCase());
    const isNear = wrong <= MOST_WRONG && wrong <= Math.min(written.length, word.length) / 2 + 1 / 2;
    if (isNear && (nearest === undefined || wrong < nearest.wrong)) nearest = { word, wrong };
  }
  return nearest?.word;
}

/**
 * What was meant by a value, by the sentence that says what was expected of it: a quantity with its unit spelt right, a number, or
 * the nearest of the words that it names. undefined: nobody can tell.
 */
export function meantValue(expectation: string, written: unknown): string | undefined {
  if (typeof written !== 'string' && typeof written !== 'number') return undefined;
  const text = String(written).trim();
  for (const { sentence, parse, unitOf } of quantities) {
    if (!expectation.includes(sentence)) continue;
    const [, number, unit] = /^([\d.,_\s]*\d)\s*(\D*)$/u.exec(text) ?? [];
    if (number === undefined || unit === undefined) return undefined;
    const whole = `${plainNumber(number)}${unitOf(unit.replace(/[.\s]/g, ''))}`;
    return whole !== text && parse(whole) !== undefined ? whole : undefined;
  }
  return typeof written === 'string'
    ? (meantNumber(expectation, text) ?? nearestOf(expectation, text))
    : undefined;
}

const quantities = [
  { sentence: expected.duration, parse: parseDuration, unitOf: unitOfDuration },
  { sentence: expected.size, parse: parseSize, unitOf: unitOfSize },
  { sentence: expected.rate, parse: parseRate, unitOf: unitOfRate },
] as const;

/** `1,500` and `1_500` are 1500; `1,5` is 1.5. */
function plainNumber(text: string): string {
  const tight = text.replace(/[\s_]/g, '');
  return /^\d{1,3}(,\d{3})+$/.test(tight) ? tight.replaceAll(',', '') : tight.replace(',', '.');
}

const durationNames: readonly (readonly [RegExp, string])[] = [
  [/^n(s|sec|anos?|anosec.*)$/i, 'ns'],
  [/^(u|µ|μ|micro)(s|secs?|seconds?)?$/i, 'us'],
  [/^(m|milli)(s|sec|secs|second|seconds)$|^millis$/i, 'ms'],
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(m|mins?|minutes?)$/i, 'min'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(d|days?)$/i, 'd'],
];

/** Without a unit, milliseconds: what most times of a migration are told in. */
function unitOfDuration(unit: string): string {
  if (unit === '') return 'ms';
  return durationNames.find(([spelling]) => spelling.test(unit))?.[1] ?? unit;
}

function unitOfSize(unit: string): string {
  const [, prefix = '', binary = ''] = /^([kmgtp]?)(i?)(?:b|bytes?)?$/i.exec(unit) ?? [];
  if (prefix === '') return /^bytes?$/i.test(unit) ? 'B' : unit;
  // A bare G is 2^30 to QEMU and libvirt.
  const isBare = !/b/i.test(unit);
  return `${inCase(prefix, binary || isBare)}${binary || isBare ? 'i' : ''}B`;
}

/** Without a unit, Mbit/s: what links are sold in. */
function unitOfRate(unit: string): string {
  if (unit === '') return 'Mbit/s';
  const [, prefix, binary, of] =
    /^([kmgt]?)(i?)(b|bits?|B|[Bb]ytes?)?(?:p|\/|per)?(?:s|sec|second)?$/i.exec(unit) ?? [];
  if (prefix === undefined) return unit;
  const isBytes = of === 'B' || /^bytes?$/i.test(of ?? '');
  return `${inCase(prefix, binary)}${binary ? 'i' : ''}${isBytes ? 'B' : 'bit'}/s`;
}

function inCase(prefix: string, binary: string | boolean | undefined): string {
  return prefix.toLowerCase() === 'k' && !binary ? 'k' : prefix.toUpperCase();
}

const multiples = { k: 1e3, m: 1e6, g: 1e9 } as const;

function meantNumber(expectation: string, text: string): string | undefined {
  if (/from 0 to 1|between 0 and 1|share|probabilit/.test(expectation)) {
    const [, percent] = /^([\d.]+)\s*(?:%|percent)$/.exec(text) ?? [];
    if (percent !== undefined) return String(Number(percent) / 100);
  }
  if (!/number|from \d/.test(expectation)) return undefined;
  const [, number, multiple] = /^([\d.,_\s]*\d)\s*([kmg]?)\s*(?:pages?)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const factor = multiples[multiple?.toLowerCase() as keyof typeof multiples] ?? 1;
  return String(Number(plainNumber(number)) * factor);
}

/** Of the words in a sentence like `an order: address, random, lru`, `checksums or full`. */
function nearestOf(expectation: string, text: string): string | undefined {
  const listed = expectation.slice(expectation.indexOf(':') + 1);
  return nearestWord(text, listed.match(/[A-Za-z][\w-]+/g) ?? []);
}
