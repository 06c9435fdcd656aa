import type { Nanos } from '../../core/units.ts';

/**
 * An event of the trace format that Chrome and ui.perfetto.dev read (Trace Event Format, 2016): X a stretch of time, C the
 * value of a counter, M a name of a track, s and f the two ends of an arrow. Times are in µs.
 */
export interface TraceEvent {
  readonly ph: 'X' | 'C' | 'M' | 's' | 'f';
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: 'e';
  readonly args?: Readonly<Record<string, unknown>>;
}

export const tracks = { source: 1, destination: 2, processors: 3, reservations: 4 } as const;

export const NANOS_PER_MICROSECOND = 1_000;

/**
 * A time of an event: a multiple of 2^-10 µs, which is about 1 ns. Sums of these are exact, so that a stretch ends where the next
 * one begins, and not a rounding later, which viewers take for two that overlap.
 */
export function microseconds(ns: Nanos): number {
  return Math.round((ns / NANOS_PER_MICROSECOND) * 1_024) / 1_024;
}

/** Names a track and its rows. */
export function named(
  track: keyof typeof tracks,
  name: string,
  threads: readonly string[],
): readonly TraceEvent[] {
  const pid = tracks[track];
  return [
    { ph: 'M', name: 'process_name', pid, args: { name } },
    ...threads.map((thread, index): TraceEvent => {
      return { ph: 'M', name: 'thread_name', pid, tid: index + 1, args: { name: thread } };
    }),
  ];
}

export function stretch(
  track: keyof typeof tracks,
  tid: number,
  name: string,
  fromNs: Nanos,
  durationNs: Nanos,
  args: Readonly<Record<string, unknown>>,
): TraceEvent {
  const ts = microseconds(fromNs);
  return { ph: 'X', name, pid: tracks[track], tid, ts, dur: microseconds(fromNs + durationNs) - ts, args };
}

export function counter(
  track: keyof typeof tracks,
  name: string,
  atNs: Nanos,
  args: Readonly<Record<string, number>>,
): TraceEvent {
  return { ph: 'C', name, pid: tracks[track], ts: microseconds(atNs), args };
}
