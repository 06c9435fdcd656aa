import { isContended } from '../../core/cpu/cpu-plan.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { ScenarioCell } from '../../scenario/scenario.ts';
import { curveOf } from '../../workload/dirty-curve.ts';
import { strataOf } from '../../workload/strata.ts';

/** Of `written` different pages in the last `windowNs` before a stop, so many could not be sent again meanwhile. */
export interface PagesLeft {
  readonly windowNs: Nanos;
  readonly written: number;
  readonly pages: number;
}

/** So many deviations below its mean a number of pages practically never is: once in a billion. */
const DEVIATIONS = 6;

/**
 * The most over all windows τ of W(τ) − S(τ): pages that were written in the last τ are dirty unless they were sent in it.
 * @param sent S: how many pages are sent in a window at most
 * @returns undefined: the program says of itself nothing of that kind, or CPU time may slow it down
 */
export function pagesLeft(
  { guest, cpu }: Pick<ScenarioCell, 'guest' | 'cpu'>,
  sent: (windowNs: Nanos) => number,
): PagesLeft | undefined {
  const writes = writtenWithin(guest);
  const isAlone = cpu.guestScheduler !== null && cpu.guest === null;
  const takesTime = guest.cpuPerWriteNs > 0 || guest.program.kind === 'stream';
  const isSlowed = isContended(cpu) && !isAlone && takesTime;
  if (!writes || isSlowed || guest.bursts) return undefined;
  let most: PagesLeft = { windowNs: 0, written: 0, pages: 0 };
  for (let windowNs = 1e5; windowNs < 1e12; windowNs *= 1.02) {
    const written = Math.floor(writes(windowNs));
    const pages = Math.floor(written - sent(windowNs));
    if (pages > most.pages) most = { windowNs, written, pages };
  }
  return most.pages > 0 ? most : undefined;
}

/** How many different pages the guest writes at least in a window. */
function writtenWithin(guest: ScenarioCell['guest']): ((windowNs: Nanos) => number) | undefined {
  const { program } = guest;
  const linear = (pagesPerSecond: number, most: number) => (windowNs: Nanos) =>
    Math.min(most, Math.floor((pagesPerSecond * windowNs) / NANOS_PER_SECOND));
  if (program.kind === 'sequential' || program.kind === 'saturating') {
    return linear(program.writesPerSecond, program.pages);
  }
  if (program.kind === 'stream') {
    const { pagesPerFrame, framePeriodNs, bufferPages } = program;
    return (windowNs) => Math.min(bufferPages, Math.floor(windowNs / framePeriodNs) * pagesPerFrame);
  }
  if (program.kind === 'dirty-curve') return curveOf(program, guest.pages);
  const strata = strataOf(guest);
  return (
    strata &&
    ((windowNs) => {
      let mean = 0;
      let variance = 0;
      for (const { pages, writesPerSecond } of strata) {
        const dirty = -Math.expm1((-writesPerSecond * windowNs) / NANOS_PER_SECOND);
        mean += pages * dirty;
        variance += pages * dirty * (1 - dirty);
      }
      return Math.max(0, mean - DEVIATIONS * Math.sqrt(variance));
    })
  );
}
