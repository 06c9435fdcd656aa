import { z } from 'zod';
import type { Slice } from '../../core/cpu/workload.ts';
import type { Nanos } from '../../core/units.ts';
import { NANOS_PER_MICROSECOND, tracks } from '../tables/trace-event.ts';
import type { ReportCell } from './cells.ts';
import type { RecordedRun } from './recorded-run.ts';

/** The course of one migration. Times count from where its first round began. */
export interface MigrationTimeline {
  readonly cell: ReportCell;
  readonly run: RecordedRun;
  /** The live rounds and the stop, as they follow one another. */
  readonly phases: readonly Phase[];
  readonly stoppedAtNs: Nanos;
  /** Which thread ran when; undefined: there is no trace of this migration beside the records. */
  readonly slices: readonly Slice[] | undefined;
}

export interface Phase {
  /** 1, 2, …, and `stop`. */
  readonly name: string;
  readonly fromNs: Nanos;
  readonly toNs: Nanos;
  /** Dirty when it began. */
  readonly pages: number;
  /** While it sent. */
  readonly bytesPerSecond: number;
}

/** What a report reads of a trace that `run --perfetto` wrote. */
const traceSchema = z.object({
  otherData: z.object({ seed: z.number(), totalNs: z.number(), downtimeNs: z.number() }),
  traceEvents: z.array(
    z.looseObject({
      ph: z.string(),
      name: z.string().max(2_000),
      pid: z.number(),
      tid: z.number().optional(),
      ts: z.number().optional(),
      dur: z.number().optional(),
    }),
  ),
});

export type RecordedTrace = z.infer<typeof traceSchema>;

/** @returns undefined: it is none */
export function recordedTrace(content: unknown): RecordedTrace | undefined {
  return traceSchema.safeParse(content).data;
}

/**
 * The migration that a report draws: the one of which there is a trace, or the one with the median downtime in the cell with the
 * shortest. `undefined`: none has completed.
 */
export function timelineOf(
  cells: readonly ReportCell[],
  traces: readonly RecordedTrace[],
): MigrationTimeline | undefined {
  for (const { otherData, traceEvents } of traces) {
    for (const cell of cells) {
      const run = cell.completed.find((one) => isOf(one, otherData));
      if (run) return course(cell, run, slicesOf(traceEvents));
    }
  }
  const done = cells.filter(({ downtimeMs }) => downtimeMs);
  if (done.length === 0) return undefined;
  const cell = done.reduce((a, b) => (b.downtimeMs!.median < a.downtimeMs!.median ? b : a));
  const inOrder = cell.completed.toSorted((a, b) => a.downtimeNs - b.downtimeNs);
  return course(cell, inOrder[Math.floor((inOrder.length - 1) / 2)]!, undefined);
}

function isOf(run: RecordedRun, { seed, totalNs, downtimeNs }: RecordedTrace['otherData']): boolean {
  return run.seed === seed && run.totalNs === totalNs && run.downtimeNs === downtimeNs;
}

function course(
  cell: ReportCell,
  run: RecordedRun,
  slices: readonly Slice[] | undefined,
): MigrationTimeline | undefined {
  const { totalNs, downtimeNs, stop } = run;
  const stoppedAtNs = totalNs - downtimeNs;
  let atNs = 0;
  const phases = run.dirtyPages.map((pages, index): Phase => {
    const [fromNs, durationNs] = [atNs, run.roundNs[index]!];
    atNs += durationNs;
    return {
      name: String(index + 1),
      fromNs,
      toNs: atNs,
      pages,
      bytesPerSecond: perSecond(run.roundBytes[index]!, durationNs),
    };
  });
  // Records of old, or of others, may not say how long their rounds took.
  if (phases.length === 0 || !(atNs > 0) || !(totalNs > 0)) return undefined;
  const bytesPerSecond = perSecond(stop.bytes, stop.durationNs);
  phases.push({ name: 'stop', fromNs: stoppedAtNs, toNs: totalNs, pages: stop.pages, bytesPerSecond });
  return { cell, run, phases, stoppedAtNs, slices };
}

function perSecond(bytes: number, ns: Nanos): number {
  return ns > 0 ? (bytes * 1e9) / ns : 0;
}

/** Who had a processor, from where the first round began. */
function slicesOf(events: RecordedTrace['traceEvents']): readonly Slice[] {
  const beganAt = events.find(({ name }) => name === 'round 1')?.ts ?? 0;
  return events.flatMap(({ ph, pid, name, tid = 1, ts, dur }) => {
    if (ph !== 'X' || pid !== tracks.processors || ts === undefined || dur === undefined) return [];
    const start = (ts - beganAt) * NANOS_PER_MICROSECOND;
    return [{ name, start, end: start + dur * NANOS_PER_MICROSECOND, processor: tid }];
  });
}
