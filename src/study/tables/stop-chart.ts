import { formatDuration } from '../../core/units.ts';
import type { MigrationRun } from '../../run/migration-run.ts';
import { type GanttSlice, svgGantt, terminalGantt } from './gantt.ts';

/** Who had a processor around the stop: as long before it as it lasted, and half as long after. */
export interface StopChart {
  readonly terminal: string;
  readonly svg: string;
}

/** `undefined`: the guest did not stop, or nobody competed for a processor. */
export function stopChart({ steps, world }: MigrationRun, title: string): StopChart | undefined {
  const stop = steps.find(({ step }) => step.kind === 'stop');
  const handed = steps.map(({ result }) => result).find((result) => result.kind === 'handed over');
  if (!stop || !handed || handed.runningAtNs <= stop.result.now) return undefined;
  const [stoppedAtNs, resumedAtNs] = [stop.result.now, handed.runningAtNs];
  const slices = world.slices();
  const lastedNs = resumedAtNs - stoppedAtNs;
  const window = { start: -lastedNs, end: 1.5 * lastedNs };
  const around = slices
    .map((slice) => ({
      ...slice,
      startNs: slice.startNs - stoppedAtNs,
      endNs: slice.endNs - stoppedAtNs,
    }))
    .filter(({ startNs, endNs }) => endNs > window.start && startNs < window.end)
    .map(({ name, startNs, endNs, processor }): GanttSlice => {
      return {
        name,
        start: Math.max(startNs, window.start),
        end: Math.min(endNs, window.end),
        processor,
      };
    });
  if (around.length === 0) return undefined;
  const options = {
    names: [...new Set(slices.map(({ name }) => name))],
    ...window,
    format: formatDuration,
  };
  const heading = `${title}: the guest is paused from 0 to ${formatDuration(lastedNs)}`;
  return {
    terminal: `${heading}\n${terminalGantt(around, options)}`,
    svg: svgGantt(around, { ...options, title: heading }),
  };
}
