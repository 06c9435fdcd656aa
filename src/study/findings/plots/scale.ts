import * as Plot from '@observablehq/plot';

/** From this ratio of the largest to the smallest value on, the small ones could not be told apart on a linear axis. */
const SPAN = 30;
/** A logarithmic axis has no 0: what is below this part of the largest value is drawn there. */
const LEAST_PART = 1e-3;

/** The axis of these values, which are not negative. */
export interface ValueScale {
  readonly type: 'linear' | 'log';
  readonly domain: readonly [number, number];
  /** Where a value is drawn. */
  readonly at: (value: number) => number;
  /** What lies at or below it is drawn at the edge; undefined: everything is drawn at its place. */
  readonly edge: number | undefined;
}

/** Linear from 0, or logarithmic where the values span decades. */
export function scaleOf(values: readonly number[], leastSpan = SPAN): ValueScale {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const floor = most * LEAST_PART;
  const drawn = values.map((value) => Math.max(value, floor));
  const least = drawn.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (most === 0 || most / least < leastSpan) {
    return {
      type: 'linear',
      domain: [0, most === 0 ? 1 : most * 1.04],
      at: (value) => value,
      edge: undefined,
    };
  }
  const isCut = values.some((value) => value < floor);
  return {
    type: 'log',
    domain: [isCut ? floor : least / 1.15, most * 1.15],
    at: (value) => Math.max(value, floor),
    edge: isCut ? floor : undefined,
  };
}

/** Ticks of a logarithmic axis, few enough that the library writes a label at each; it chooses those of a linear one. */
export function ticksOf({ type, domain: [low, high] }: ValueScale) {
  if (type === 'linear') return {};
  const decades = Math.log10(high / low);
  const digits = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    ticks.push(...digits.map((digit) => digit * 10 ** power).filter((tick) => tick >= low && tick <= high));
  return { ticks, tickFormat: (tick: number) => Number(tick.toPrecision(1)).toLocaleString('en') };
}

/** Where values lie in pixels between these ends. */
export function pixels(
  { type, domain }: Pick<ValueScale, 'type' | 'domain'>,
  range: readonly [number, number],
) {
  const scale = Plot.scale({ x: { type, domain: [...domain], range: [...range] } });
  return (value: number): number => scale.apply(value);
}

/** Room for the names of points at the edges. */
export function roomAround(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = (most - least) * 0.1 || most * 0.1 || 1;
  return [Math.max(0, least - room), most + room];
}
