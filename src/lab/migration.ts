import type { Slice } from '../core/cpu/slice.ts';
import type { Course } from '../core/migration/course.ts';
import type { Admission } from '../core/migration/record.ts';
import type { Seen, Step } from '../core/migration/steps.ts';
import type { WorldSetup } from '../worlds/world.ts';
import { type StopChart, stopChart } from './report/stop-chart.ts';
import type { TraceLine } from './trace.ts';

/** A migration that has ended, before its world is closed. */
export interface Ended {
  readonly setup: WorldSetup;
  readonly course: Course;
  readonly steps: readonly { readonly step: Step; readonly seen: Seen }[];
  readonly world: { readonly startedAt: string; slices(): readonly Slice[] };
  readonly admission: Admission | null;
  readonly notes: readonly string[];
}

/** Everything that passed between the migration and its world. */
export function traceOf({ setup, steps, course }: Ended): readonly TraceLine[] {
  return [{ plan: setup.plan }, ...steps, { course }];
}

/** Who had a processor around the stop; `undefined`: the guest did not stand, or nobody competed. */
export function chartOf({ steps, world }: Ended, title: string): StopChart | undefined {
  const stop = steps.find(({ step }) => step.kind === 'stop');
  const handed = steps.map(({ seen }) => seen).find((seen) => seen.kind === 'handed over');
  if (!stop || !handed || handed.runningAtNs <= stop.seen.now) return undefined;
  return stopChart(world.slices(), { stoppedAtNs: stop.seen.now, resumedAtNs: handed.runningAtNs }, title);
}
