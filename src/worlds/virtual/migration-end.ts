import type { LinkRecord, Measurements } from '../../core/migration/migration-result.ts';
import { pausedTooLong } from '../../core/migration/plan.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import type { Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import type { VirtualLink } from './virtual-link.ts';

/** The guest resumes here at the instant at which it has been stopped for too long, whatever was under way. */
export function inTime<Result extends StepResult>(
  result: Result,
  { plan }: MigrationSpec,
  stoppedAtNs: Nanos | undefined,
): Result | StepResult {
  if (stoppedAtNs === undefined || result.now - stoppedAtNs <= plan.stopTimeoutNs) return result;
  const now = stoppedAtNs + plan.stopTimeoutNs;
  return { kind: 'failed', now, why: pausedTooLong(plan), outcome: 'aborted' };
}

/** The state of the guest's devices leaves, and their time passes; the sender needs no CPU time for it. */
export function sentDevice(
  { device, rateBytesPerSecond }: Extract<Step, { kind: 'device' }>,
  link: VirtualLink,
  now: Nanos,
  { plan }: MigrationSpec,
): StepResult {
  link.setRate(rateBytesPerSecond, now);
  const sentAtNs = link.sendAll(now, device.stateBytes);
  if (device.stateBytes > 0 && link.isClosed(sentAtNs)) return link.closed(sentAtNs, plan, true);
  return { kind: 'done', now: sentAtNs + device.timeNs };
}

/**
 * Without competition heartbeats come a period apart in guest time, which passes only while the guest runs.
 * @param seen by processors for which somebody competes
 */
export function measured(
  { guest }: MigrationSpec,
  clock: ProgramClock,
  time: { readonly now: Nanos; readonly stoppedAtNs: Nanos | undefined },
  seen: { readonly link: LinkRecord } & Partial<Pick<Measurements, 'servers'>> & {
      readonly outage?:
        | Pick<NonNullable<Measurements['outage']>, 'longestGapNs' | 'lateHeartbeats'>
        | undefined;
    },
): Measurements {
  const { heartbeatPeriodNs } = guest;
  const stoppedNs = time.stoppedAtNs === undefined ? 0 : time.now - time.stoppedAtNs;
  const undisturbed = { longestGapNs: heartbeatPeriodNs + stoppedNs, lateHeartbeats: 0 };
  return {
    outage: {
      ...(seen.outage ?? undisturbed),
      heartbeats: Math.floor(clock.programNs(time.stoppedAtNs ?? time.now) / heartbeatPeriodNs),
      lostHeartbeats: 0,
      repeatedHeartbeats: 0,
    },
    verified: { memory: 'not-checked', continued: 'not-checked' },
    servers: seen.servers ?? [],
    notes: [],
    link: seen.link,
  };
}
