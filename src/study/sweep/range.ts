import { NANOS_PER_SECOND, parseDuration, parseRate, parseSize } from '../../core/units.ts';
import type { RangeDocument } from './design-schema.ts';

/** The value a share u of the way through a range, as a scenario would write it, in the unit of its beginning. */
export type Range = (u: number) => string | number;

/** Six digits: exact in what is printed and stored, and fine enough for any design. */
const DIGITS = 6;

/** @returns what was expected instead, if it is no range */
export function rangeOf({ from, to, scale }: RangeDocument): Range | string {
  const first = magnitude(from);
  const last = magnitude(to);
  if (!first || !last) return 'from and to: numbers, times, sizes or rates, such as 10Mbit/s';
  const ratio = unitRatio(first.unit, last.unit);
  if (ratio === undefined) return `to: of the same kind as from, ${from}`;
  const [low, high] = [first.value, last.value * ratio];
  if (!(low < high)) return `to: more than from, ${from}`;
  if (scale === 'log' && low <= 0) return 'from: above 0 on a log scale';
  return (u) => {
    const value = scale === 'log' ? low * (high / low) ** u : low + u * (high - low);
    const short = Number(value.toPrecision(DIGITS));
    return first.unit === '' ? short : `${short}${first.unit}`;
  };
}

function magnitude(written: string | number): { readonly value: number; readonly unit: string } | undefined {
  const match = /^\s*(-?\d*\.?\d+(?:e\d+)?)\s*([\p{L}/]*)\s*$/u.exec(String(written));
  if (match) return { value: Number(match[1]), unit: match[2]! };
  // A time in parts, such as 1h30m.
  const ns = parseDuration(String(written));
  return ns === undefined ? undefined : { value: ns / NANOS_PER_SECOND, unit: 's' };
}

/** How many of one unit another is; `undefined` if they measure different things. */
function unitRatio(one: string, other: string): number | undefined {
  if (one === other) return 1;
  for (const parse of [parseDuration, parseSize, parseRate]) {
    // Eight of each: a single bit a second is less than the least rate, and a thousand days are too many nanoseconds.
    const [ones, others] = [parse(`8${one}`), parse(`8${other}`)];
    if (one !== '' && other !== '' && ones !== undefined && others !== undefined) return others / ones;
  }
  return undefined;
}
