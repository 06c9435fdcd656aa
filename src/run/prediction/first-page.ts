import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { curveOf } from '../../workload/dirty-curve.ts';
import { type GuestSpec, usedPages } from '../../workload/programs.ts';
import { strataOf } from '../../workload/strata.ts';

/**
 * Page 0, where the guest's registers are: every step of its program writes it, and every heartbeat. Of a small guest, or where
 * a rule waits for the last page, it counts.
 */
export interface FirstPage {
  /** By steps of the program, which come at random; in a second of its own time. */
  readonly randomWritesPerSecond: number;
  /** From one step or heartbeat to the next, where these come at a steady pace. */
  readonly periodsNs: readonly Nanos[];
  /** As which a program that is known has it: like the others of its class. */
  readonly knownWritesPerSecond: number;
}

export function firstPageOf(guest: GuestSpec): FirstPage {
  const { program, heartbeatPeriodNs } = guest;
  const periodsNs = [heartbeatPeriodNs];
  switch (program.kind) {
    case 'sequential':
    case 'saturating': {
      const { pages, writesPerSecond } = program;
      periodsNs.push(NANOS_PER_SECOND / writesPerSecond);
      return { randomWritesPerSecond: 0, periodsNs, knownWritesPerSecond: writesPerSecond / pages };
    }
    case 'classes':
    case 'zipf': {
      const strata = strataOf({ ...guest, bursts: undefined })!;
      const all = strata.reduce((sum, { pages, writesPerSecond }) => sum + pages * writesPerSecond, 0);
      return { randomWritesPerSecond: all, periodsNs, knownWritesPerSecond: strata[0]!.writesPerSecond };
    }
    case 'dirty-curve': {
      const knownWritesPerSecond = curveOf(program, guest.pages)(NANOS_PER_SECOND) / usedPages(guest);
      return { randomWritesPerSecond: 0, periodsNs, knownWritesPerSecond };
    }
    default:
      return { randomWritesPerSecond: 0, periodsNs, knownWritesPerSecond: 0 };
  }
}

/** A random writer that comes so often within a time is as good as sure to have come: all but e⁻¹⁶. */
const SURE = 16;

/**
 * The rate of a random writer in place of all of them, at this speed of the program. One that comes steadily every p has come within
 * a time t with probability min(1, t/p). So has a random one at the rate −ln(1 − t/p)/t, at most 16/p, which is as good as sure.
 * @param withinNs t: the time that matters, which is a window in which it is looked for, or the shortest round
 */
export function firstPageRate(
  { randomWritesPerSecond, periodsNs }: Omit<FirstPage, 'knownWritesPerSecond'>,
  speed: number,
  withinNs: Nanos,
): number {
  const steady = periodsNs.reduce((sum, periodNs) => sum + steadyPerNs(periodNs / speed, withinNs), 0);
  return speed * randomWritesPerSecond + steady * NANOS_PER_SECOND;
}

function steadyPerNs(periodNs: Nanos, withinNs: Nanos): number {
  const sure = SURE / periodNs;
  return withinNs < periodNs ? Math.min(sure, -Math.log1p(-withinNs / periodNs) / withinNs) : sure;
}
