import type { Slice } from '../../core/cpu/workload.ts';
import { formatDuration, type Nanos } from '../../core/units.ts';
import type { MigrationRun } from '../../run/migration-run.ts';
import { svgGantt, terminalGantt } from './gantt.ts';

/** Which thread ran when around the pause: as long before it as it lasted, and half as long after. */
export interface StopChart {
  readonly terminal: string;
  readonly svg: string;
}

/** `undefined`: the guest was not paused, or nothing competed for a processor. */
export function stopChart({ pause, world }: MigrationRun, title: string): StopChart | undefined {
  const { stoppedAtNs, resumedAtNs } = pause;
  if (stoppedAtNs === undefined || resumedAtNs === undefined || resumedAtNs <= stoppedAtNs) return undefined;
  const lastedNs = resumedAtNs - stoppedAtNs;
  const window = { start: -lastedNs, end: 1.5 * lastedNs };
  const slices = world.slices().map(({ name, startNs, endNs, processor }): Slice => {
    return { name, start: startNs - stoppedAtNs, end: endNs - stoppedAtNs, processor };
  });
  if (!slices.some(({ start, end }) => end > window.start && start < window.end)) return undefined;
  const options = { names: [...new Set(slices.map(({ name }) => name))], ...window, format: formatTick };
  const heading = `${title}: the guest is paused from 0 to ${formatDuration(lastedNs)}`;
  return {
    terminal: `${heading}\n${terminalGantt(slices, options)}`,
    svg: svgGantt(slices, { ...options, title: heading }),
  };
}

/** Nothing has no unit. */
function formatTick(ns: Nanos): string {
  return ns === 0 ? '0' : formatDuration(ns);
}
