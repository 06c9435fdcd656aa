import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import type { Summary } from '../statistics/estimate.ts';

/** A number in three digits or so, as a table shows it. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A time in ms, in the same way. */
export function milliseconds(ns = Number.NaN): string {
  return figure(ns / NANOS_PER_MILLISECOND);
}

/** A median and its interval; marked when there were too few values for 95 %. */
export function interval(summary: Summary | undefined, unit = 1): string {
  if (!summary) return '–';
  const { median, low, high, confident, count } = summary;
  if (count === 1) return figure(median / unit);
  return `${figure(median / unit)} [${figure(low / unit)}–${figure(high / unit)}]${confident ? '' : '*'}`;
}

/** `3`, or where not all are done, `2 of 3`; marked where all of them are one run. */
export function doneOf(done: number, all: number, alike = false): string {
  return `${done === all ? String(all) : `${done} of ${all}`}${alike ? ' =' : ''}`;
}

/** What the mark at a number of runs means. */
export const ALIKE_NOTE =
  '=: these runs do not differ, whatever their seed, because nothing in them is random. They count as one run, which has no interval.';
