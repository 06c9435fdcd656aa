/**
 * Quantities as people write them, and as the code keeps them: times in whole nanoseconds, sizes in whole
 * bytes, rates in whole bytes per second. `Mbit/s` is decimal and `Mibit/s` binary, as in IEC 80000-13.
 */

export type Nanos = number;
export type Bytes = number;
export type BytesPerSecond = number;

export const NANOS_PER_SECOND = 1_000_000_000;
export const NANOS_PER_MILLISECOND = 1_000_000;

const durations: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1_000,
  µs: 1_000,
  ms: NANOS_PER_MILLISECOND,
  s: NANOS_PER_SECOND,
  min: 60 * NANOS_PER_SECOND,
  h: 3600 * NANOS_PER_SECOND,
};

const sizes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const rates: Readonly<Record<string, number>> = {
  'bit/s': 1 / 8,
  'kbit/s': 1e3 / 8,
  'Mbit/s': 1e6 / 8,
  'Gbit/s': 1e9 / 8,
  'Tbit/s': 1e12 / 8,
  'Kibit/s': 2 ** 10 / 8,
  'Mibit/s': 2 ** 20 / 8,
  'Gibit/s': 2 ** 30 / 8,
  ...Object.fromEntries(Object.entries(sizes).map(([unit, bytes]) => [`${unit}/s`, bytes])),
};

/** What a kind of quantity looks like when it is written down: used by the parsers and by error messages. */
export const expected = {
  duration: `a time such as 40ms (${Object.keys(durations).join(', ')})`,
  size: `a size such as 4KiB (${Object.keys(sizes).join(', ')})`,
  rate: `a rate such as 50Mbit/s (${Object.keys(rates).join(', ')})`,
} as const;

const NUMBER = '(\\d+(\\.\\d+)?|\\.\\d+)(e\\d+)?';
const written = (units: Readonly<Record<string, number>>) => `${NUMBER}\\s*(${Object.keys(units).join('|')})`;

/** The same as regular expressions, for whoever checks a quantity without reading it, such as an editor. */
export const patterns = {
  duration: `^\\s*(0|${written(durations)})\\s*$`,
  size: `^\\s*${written(sizes)}?\\s*$`,
  rate: `^\\s*${written(rates)}\\s*$`,
} as const;

/** `20ms` → 20,000,000. `undefined` when the text is not a duration. A bare `0` needs no unit. */
export function parseDuration(text: string): Nanos | undefined {
  return parse(text, durations);
}

/** `4KiB` → 4096. A bare number counts bytes. `undefined` when the text is not a size. */
export function parseSize(text: string): Bytes | undefined {
  return parse(text, { ...sizes, '': 1 });
}

/** `50Mbit/s` → 6,250,000 bytes per second. `undefined` when the text is not a rate, or below one byte a second. */
export function parseRate(text: string): BytesPerSecond | undefined {
  return parse(text, rates, 1);
}

function parse(text: string, units: Readonly<Record<string, number>>, least = 0): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)(?:e(\d+))?\s*([A-Za-zµ/]*)\s*$/.exec(text);
  if (!match) return undefined;
  const [, mantissa = '', exponent = '0', unit = ''] = match;
  const number = Number(mantissa) * 10 ** Number(exponent);
  const factor = unit === '' && number === 0 ? 1 : Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined || number * factor < least) return undefined;
  const value = Math.round(number * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Nanoseconds as a person reads them, three significant digits: `281 ms`, `4.26 s`, `17 µs`. */
export function formatDuration(ns: Nanos): string {
  if (Math.abs(ns) < 1e3) return `${Math.round(ns)} ns`;
  return scaled(ns / 1e3, 1000, ['µs', 'ms', 's']);
}

/** Bytes with binary prefixes: `25.4 MiB`. */
export function formatSize(bytes: Bytes): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** A rate in decimal bits, as links are sold: `50 Mbit/s`. */
export function formatRate(bytesPerSecond: BytesPerSecond): string {
  return scaled(bytesPerSecond * 8, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
}

/** In the largest unit of which it is at least one, also if it is that only after rounding. */
function scaled(value: number, base: number, units: readonly string[]): string {
  let index = 0;
  let rest = value;
  while (Math.abs(significant(rest)) >= base && index < units.length - 1) {
    rest /= base;
    index += 1;
  }
  return `${significant(rest)} ${units[index]}`;
}

function significant(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
