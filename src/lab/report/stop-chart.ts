import type { Slice } from '../../core/cpu/slice.ts';
import { formatDuration, type Nanos } from '../../core/units.ts';
import { type GanttSlice, svgGantt, terminalGantt } from './gantt.ts';

/** The instants around which a chart of a migration is drawn, in the world's time. */
export interface StopInstants {
  readonly stoppedAtNs: Nanos;
  readonly resumedAtNs: Nanos;
}

/** Who had a processor around the stop: as long before it as it lasted, and half as long after. */
export interface StopChart {
  readonly terminal: string;
  readonly svg: string;
}

/** `undefined`: nobody's slices were recorded around the stop. */
export function stopChart(
  slices: readonly Slice[],
  { stoppedAtNs, resumedAtNs }: StopInstants,
  title: string,
): StopChart | undefined {
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
  const heading = `${title}: the guest stands from 0 to ${formatDuration(lastedNs)}`;
  return {
    terminal: `${heading}\n${terminalGantt(around, options)}`,
    svg: svgGantt(around, { ...options, title: heading }),
  };
}
