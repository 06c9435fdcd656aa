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

/** How much oftener a random writer comes than one that is steady, to be as sure to have come within its period: all but e⁻¹⁶. */
const SURE = 16;

/** The rate of a random writer in place of all of them, at this speed of the program. */
export function firstPageRate(
  { randomWritesPerSecond, periodsNs }: Omit<FirstPage, 'knownWritesPerSecond'>,
  speed: number,
): number {
  const steady = periodsNs.reduce((sum, periodNs) => sum + NANOS_PER_SECOND / periodNs, 0);
  return speed * (randomWritesPerSecond + SURE * steady);
}
