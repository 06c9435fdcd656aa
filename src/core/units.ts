/**
 * Quantities as people write them, and as the code keeps them: times in whole nanoseconds, sizes in whole
 * bytes, rates in whole bytes per second. `Mbit/s` is decimal and `Mibit/s` binary, as in IEC 80000-13.
 */

export type Nanos = number;
export type Bytes = number;
export type BytesPerSecond = number;

export const NANOS_PER_SECOND = 1_000_000_000;
export const NANOS_PER_MILLISECOND = 1_000_000;

/** Longest first, in which order the parts of a time follow each other. `m` is a minute. */
const durations: readonly (readonly [names: readonly string[], ns: Nanos])[] = [
  [['d'], 86_400 * NANOS_PER_SECOND],
  [['h'], 3600 * NANOS_PER_SECOND],
  [['min', 'm'], 60 * NANOS_PER_SECOND],
  [['s'], NANOS_PER_SECOND],
  [['ms'], NANOS_PER_MILLISECOND],
  // The micro sign, and the Greek letter.
  [['us', 'µs', 'μs'], 1_000],
  [['ns'], 1],
];

/** Without `i` a prefix is decimal, with it binary; in either case, since nothing here is a milli. */
const PREFIX = '[kKmMgGtTpP]i?';
const prefixes = ['', 'k', 'm', 'g', 't', 'p'];

/** A byte is `B`, a bit `b`: the one place where the case says something. */
const units = {
  /** Kubernetes leaves the `B` out where the prefix is binary: `64Gi`. A bare `64G` is 2^30 to some and 10^9 to others. */
  size: `(?:${PREFIX})?B|[kKmMgGtTpP]i`,
  rate: `(?:${PREFIX})?(?:(?:bit|b|B)/s|bps|Bps)`,
} as const;

const NUMBER = '(?:\\d+(?:\\.\\d+)?|\\.\\d+)(?:e\\d+)?';
const partOfDuration = ([names]: (typeof durations)[number]) =>
  `(?:\\s*${NUMBER}\\s*(?:${names.join('|')}))?`;

/** As regular expressions, for the parsers and for whoever checks a quantity without reading it, such as an editor. */
export const patterns = {
  duration: `^(?=\\s*[\\d.])(?:\\s*0|${durations.map(partOfDuration).join('')})\\s*$`,
  size: `^\\s*${NUMBER}\\s*(?:${units.size})?\\s*$`,
  rate: `^\\s*${NUMBER}\\s*(?:${units.rate})\\s*$`,
} as const;

/** What a kind of quantity looks like when it is written down: for error messages. */
export const expected = {
  duration: 'a time such as 40ms or 1h30m (ns, us, ms, s, m or min, h, d)',
  size: 'a size such as 4KiB (B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB)',
  rate: 'a rate such as 50Mbit/s (bit/s or bps with k, M, G, T, Ki, Mi, Gi, Ti; the same with B for bytes)',
} as const;

const wholes = {
  duration: new RegExp(patterns.duration),
  size: new RegExp(patterns.size),
  rate: new RegExp(patterns.rate),
} as const;

/** `20ms` → 20,000,000; `1h30m` → 5.4e12. `undefined` when the text is not a duration. A bare `0` needs no unit. */
export function parseDuration(text: string): Nanos | undefined {
  if (!wholes.duration.test(text)) return undefined;
  let ns = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+(?:e\d+)?)\s*(\p{L}*)/gu)) {
    ns += numberOf(number) * (durations.find(([names]) => names.includes(unit))?.[1] ?? 0);
  }
  return exact(ns);
}

/** `4KiB` → 4096. A bare number counts bytes. `undefined` when the text is not a size. */
export function parseSize(text: string): Bytes | undefined {
  return wholes.size.test(text) ? exact(scaledNumber(text)) : undefined;
}

/** `50Mbit/s` → 6,250,000 bytes per second. `undefined` when the text is not a rate, or below one byte a second. */
export function parseRate(text: string): BytesPerSecond | undefined {
  if (!wholes.rate.test(text)) return undefined;
  const bytesPerSecond = scaledNumber(text) / (text.includes('b') ? 8 : 1);
  return bytesPerSecond < 1 ? undefined : exact(bytesPerSecond);
}

/** The same, and nothing too: `0`, `0bit/s`. */
export function parseRateOrZero(text: string): BytesPerSecond | undefined {
  const isZero = text.trim() === '0' || (wholes.rate.test(text) && scaledNumber(text) === 0);
  return isZero ? 0 : parseRate(text);
}

/** A number with the prefix of its unit, if it has one. */
function scaledNumber(text: string): number {
  const [, number = '', prefix = '', binary] = /([\d.]+(?:e\d+)?)\s*([kmgtp]?)(i?)/i.exec(text) ?? [];
  return numberOf(number) * (binary ? 1024 : 1000) ** prefixes.indexOf(prefix.toLowerCase());
}

/** Written so that `1e3` comes out exactly. */
function numberOf(text: string): number {
  const [mantissa, exponent = '0'] = text.split('e');
  return Number(mantissa) * 10 ** Number(exponent);
}

/** In whole units, if a double holds that exactly. */
function exact(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

const NANOS_PER_HOUR = 3600 * NANOS_PER_SECOND;

/**
 * Nanoseconds as a person reads them, three significant digits: `281 ms`, `4.26 s`, `17 µs`; from a day on in days and
 * hours: `30 d`, `1 d 12 h`.
 */
export function formatDuration(ns: Nanos): string {
  const hours = Math.round(ns / NANOS_PER_HOUR);
  if (hours >= 24) return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
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
