import type { Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { PredictedTimes } from './predicted-times.ts';

/** What time passes with. */
export interface HandoverClock {
  now(): Nanos;
  /** The sender is woken, and uses so much CPU time. */
  works(ns: Nanos): void;
  /** Something happens elsewhere meanwhile. */
  passes(ns: Nanos): void;
}

/**
 * The sender asks the destination whether it has what was sent, and hears its answer: at the end of a round, and at the stop.
 * Between its two messages it sleeps, so that it may have to wait for its processor again.
 * @returns the CPU time that it has used
 */
export function askDestination(clock: HandoverClock, times: PredictedTimes): Nanos {
  const askingNs = times.messageNs();
  const hearingNs = times.messageNs();
  clock.works(askingNs);
  clock.passes(2 * times.linkLatencyNs + Math.max(0, times.stateNs - askingNs - hearingNs));
  clock.works(hearingNs);
  return askingNs + hearingNs;
}

/**
 * The hand-over, in the order of a real one: the last byte and the answer to it make their way, then a question for the hash of
 * all memory and its answer, if that is compared, then the commit, before which the sender has used at least
 * `cpuPerHandover` (Sender.commit); then the guest is woken.
 */
export function carryOutHandover(
  clock: HandoverClock,
  times: PredictedTimes,
  { cpu }: MigrationSpec,
  verify: 'checksums' | 'full',
) {
  const usedNs = askDestination(clock, times);
  const readyAtNs = clock.now();
  if (verify === 'full') clock.passes(2 * times.linkLatencyNs + times.verifyNs);
  const verifiedAtNs = clock.now();
  const committingNs = times.messageNs();
  clock.works(Math.max(committingNs, cpu.cpuPerHandoverNs - usedNs));
  clock.passes(times.linkLatencyNs + Math.max(0, times.commitNs - committingNs));
  const committedAtNs = clock.now();
  clock.passes(times.resumeNs);
  return { readyAtNs, verifiedAtNs, committedAtNs, runningAtNs: clock.now() };
}
