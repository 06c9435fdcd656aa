import { partsOf } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { MigrationRun } from '../../run/migration-run.ts';

/**
 * An event of the trace format that Chrome and ui.perfetto.dev read (Trace Event Format, 2016): X a stretch of time, C the
 * value of a counter, M a name of a track, s and f the two ends of an arrow. Times are in µs.
 */
interface TraceEvent {
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

const tracks = { source: 1, destination: 2, processors: 3 } as const;

const NANOS_PER_MICROSECOND = 1_000;

/**
 * The timeline of one migration: its rounds, the stop in its parts and the arrow of the hand-over, counters of pages and of the rate,
 * and who had which processor, as far as the world takes that down. Budgets of reservations are not in it: what is taken down is
 * who ran.
 */
export function perfettoTrace({ spec, result, pause, world }: MigrationRun): {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
} {
  const { stoppedAtNs, resumedAtNs } = pause;
  const endNs = resumedAtNs ?? (stoppedAtNs ?? 0) + result.downtimeNs;
  const { name } = spec.guest;
  return {
    displayTimeUnit: 'ms',
    traceEvents: [
      ...named('source', `${name} at its source`, ['live rounds', 'stop']),
      ...named('destination', `${name} at its destination`, ['guest']),
      ...roundEvents(result.rounds, endNs - result.totalNs),
      ...(stoppedAtNs === undefined ? [] : stopEvents(result, stoppedAtNs, endNs)),
      ...(stoppedAtNs !== undefined && resumedAtNs !== undefined && result.owner === 'destination'
        ? handOver(stoppedAtNs, resumedAtNs)
        : []),
      ...processorEvents(world.slices()),
    ],
  };
}

/** The rounds follow one another from where the migration began. */
function roundEvents(rounds: MigrationRun['result']['rounds'], beganAtNs: Nanos): readonly TraceEvent[] {
  let atNs = beganAtNs;
  return rounds.flatMap(({ round, durationNs, ...counts }) => {
    const fromNs = atNs;
    atNs += durationNs;
    const bytesPerSecond = durationNs > 0 ? Math.round((counts.bytes * NANOS_PER_SECOND) / durationNs) : 0;
    return [
      stretch('source', 1, `round ${round}`, fromNs, durationNs, counts),
      counter('pages', fromNs, { dirty: counts.dirtyPages, deferred: counts.deferredPages }),
      counter('rate, bytes/s', fromNs, { sent: bytesPerSecond }),
    ];
  });
}

function stopEvents(
  { stop, downtimeNs, downtimeParts }: MigrationRun['result'],
  stoppedAtNs: Nanos,
  endNs: Nanos,
): readonly TraceEvent[] {
  const beganAtNs = endNs - downtimeNs;
  let atNs = beganAtNs;
  const parts = Object.entries(partsOf(downtimeParts)).flatMap(([part, ns]) => {
    const fromNs = atNs;
    atNs += ns;
    return ns > 0 ? [stretch('source', 2, part.replace(/Ns$/, ''), fromNs, ns, {})] : [];
  });
  const bytesPerSecond =
    stop.durationNs > 0 ? Math.round((stop.bytes * NANOS_PER_SECOND) / stop.durationNs) : 0;
  return [
    stretch('source', 2, 'stop', beganAtNs, downtimeNs, { pages: stop.pages, bytes: stop.bytes }),
    ...parts,
    counter('pages', stoppedAtNs, { dirty: stop.pages, deferred: 0 }),
    counter('rate, bytes/s', stoppedAtNs, { sent: bytesPerSecond }),
    counter('pages', endNs, { dirty: 0, deferred: 0 }),
    counter('rate, bytes/s', endNs, { sent: 0 }),
  ];
}

/** How long the guest that runs is drawn: an arrow must end at something. */
const DRAWN_NS = NANOS_PER_MILLISECOND;

/** An arrow from where the guest stopped to where it runs. */
function handOver(stoppedAtNs: Nanos, resumedAtNs: Nanos): readonly TraceEvent[] {
  const flow = { name: 'hand-over', id: 1 } as const;
  return [
    stretch('destination', 1, 'runs', resumedAtNs, DRAWN_NS, {}),
    { ph: 's', ...flow, pid: tracks.source, tid: 2, ts: stoppedAtNs / NANOS_PER_MICROSECOND },
    { ph: 'f', ...flow, bp: 'e', pid: tracks.destination, tid: 1, ts: resumedAtNs / NANOS_PER_MICROSECOND },
  ];
}

/** A track for each processor. */
function processorEvents(slices: ReturnType<MigrationRun['world']['slices']>): readonly TraceEvent[] {
  if (slices.length === 0) return [];
  const processors = [...new Set(slices.map(({ processor }) => processor))].sort((one, other) => one - other);
  return [
    ...named(
      'processors',
      'processors',
      processors.map((processor) => `processor ${processor}`),
    ),
    ...slices.map(({ name, startNs, endNs, processor }) =>
      stretch('processors', processors.indexOf(processor) + 1, name, startNs, endNs - startNs, {}),
    ),
  ];
}

function named(track: keyof typeof tracks, name: string, threads: readonly string[]): readonly TraceEvent[] {
  const pid = tracks[track];
  return [
    { ph: 'M', name: 'process_name', pid, args: { name } },
    ...threads.map((thread, index): TraceEvent => {
      return { ph: 'M', name: 'thread_name', pid, tid: index + 1, args: { name: thread } };
    }),
  ];
}

function stretch(
  track: keyof typeof tracks,
  tid: number,
  name: string,
  fromNs: Nanos,
  durationNs: Nanos,
  args: Readonly<Record<string, unknown>>,
): TraceEvent {
  const [ts, dur] = [fromNs / NANOS_PER_MICROSECOND, durationNs / NANOS_PER_MICROSECOND];
  return { ph: 'X', name, pid: tracks[track], tid, ts, dur, args };
}

function counter(name: string, atNs: Nanos, args: Readonly<Record<string, number>>): TraceEvent {
  return { ph: 'C', name, pid: tracks.source, ts: atNs / NANOS_PER_MICROSECOND, args };
}
