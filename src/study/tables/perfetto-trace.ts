import type { Slice } from '../../core/cpu/slice.ts';
import { partsOf } from '../../core/migration/migration-result.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { MigrationRun } from '../../run/migration-run.ts';
import { reservationEvents } from './reservation-tracks.ts';
import { counter, microseconds, named, stretch, type TraceEvent, tracks } from './trace-event.ts';

/**
 * The timeline of one migration: its rounds, the stop in its parts and the arrow of the hand-over, counters of pages and of the rate,
 * who had which processor, and of each CPU reservation when it was served and its budget, as far as the world takes that down.
 */
export function perfettoTrace({ spec, result, pause, world }: MigrationRun): {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
  /** Which migration it is. */
  readonly otherData: { readonly seed: number; readonly totalNs: Nanos; readonly downtimeNs: Nanos };
} {
  const { stoppedAtNs, resumedAtNs } = pause;
  const endNs = resumedAtNs ?? (stoppedAtNs ?? 0) + result.downtimeNs;
  const { name } = spec.guest;
  const slices = world.slices();
  return {
    displayTimeUnit: 'ms',
    otherData: { seed: spec.plan.seed, totalNs: result.totalNs, downtimeNs: result.downtimeNs },
    traceEvents: [
      ...named('source', `${name} at its source`, ['live rounds', 'stop']),
      ...named('destination', `${name} at its destination`, ['guest']),
      ...roundEvents(result.rounds, endNs - result.totalNs),
      ...(stoppedAtNs === undefined ? [] : stopEvents(result, stoppedAtNs, endNs)),
      ...(stoppedAtNs !== undefined && resumedAtNs !== undefined && result.owner === 'destination'
        ? handOver(stoppedAtNs, resumedAtNs)
        : []),
      ...processorEvents(slices),
      ...reservationEvents(spec.cpu, slices),
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
      counter('source', 'pages', fromNs, { dirty: counts.dirtyPages, deferred: counts.deferredPages }),
      counter('source', 'rate, bytes/s', fromNs, { sent: bytesPerSecond }),
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
    counter('source', 'pages', stoppedAtNs, { dirty: stop.pages, deferred: 0 }),
    counter('source', 'rate, bytes/s', stoppedAtNs, { sent: bytesPerSecond }),
    counter('source', 'pages', endNs, { dirty: 0, deferred: 0 }),
    counter('source', 'rate, bytes/s', endNs, { sent: 0 }),
  ];
}

/** How long the guest that runs is drawn: an arrow must end at something. */
const DRAWN_NS = NANOS_PER_MILLISECOND;

/** An arrow from where the guest stopped to where it runs. */
function handOver(stoppedAtNs: Nanos, resumedAtNs: Nanos): readonly TraceEvent[] {
  const flow = { name: 'hand-over', id: 1 } as const;
  return [
    stretch('destination', 1, 'runs', resumedAtNs, DRAWN_NS, {}),
    { ph: 's', ...flow, pid: tracks.source, tid: 2, ts: microseconds(stoppedAtNs) },
    { ph: 'f', ...flow, bp: 'e', pid: tracks.destination, tid: 1, ts: microseconds(resumedAtNs) },
  ];
}

/** A track for each processor. */
function processorEvents(slices: readonly Slice[]): readonly TraceEvent[] {
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
