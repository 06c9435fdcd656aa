import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { type GuestSpec, writesPerSecondOf } from '../../workload/programs.ts';

/**
 * What a guest asks of the processor: job k = 1, 2, … arrives at k·T of the guest's time, takes `workNs`, and
 * carries the program from `firstNs` to `lastNs` after its arrival. A stream's job is a frame. Any other program
 * sleeps between its steps, as a real guest does, and makes those that have become due when it wakes.
 */
export interface GuestLoad {
  readonly periodNs: Nanos;
  readonly workNs: Nanos;
  readonly firstNs: Nanos;
  readonly lastNs: Nanos;
}

/** A guest that waits for less than this does not go to sleep: the shortest sleep of the `threads` guest. */
const SLEEP_NS = 500_000;

/**
 * `undefined`: the guest's program needs no CPU time worth mentioning.
 * @param idleShare of a processor, which a machine uses besides what its program does
 */
export function guestLoad(guest: GuestSpec, idleShare = 0): GuestLoad | undefined {
  const { program, cpuPerWriteNs } = guest;
  if (program.kind === 'stream') {
    const { framePeriodNs: periodNs, cpuPerFrameNs } = program;
    const workNs = cpuPerFrameNs + idleShare * periodNs;
    return cpuPerFrameNs === 0 ? undefined : { periodNs, workNs, firstNs: 0, lastNs: cpuPerFrameNs };
  }
  if (cpuPerWriteNs === 0) return undefined;
  const writesPerSecond = writesPerSecondOf(guest).reduce((sum, rate) => sum + rate, 0);
  const ownNs = (writesPerSecond * cpuPerWriteNs * SLEEP_NS) / NANOS_PER_SECOND;
  const workNs = ownNs + idleShare * SLEEP_NS;
  return ownNs === 0 ? undefined : { periodNs: SLEEP_NS, workNs, firstNs: -SLEEP_NS, lastNs: 0 };
}
