import { type Reservation, shareOf } from '../../core/cpu/reservation.ts';
import { mostSupply } from '../../core/cpu/supply.ts';
import {
  type BytesPerSecond,
  formatDuration,
  formatSize,
  NANOS_PER_SECOND,
  type Nanos,
} from '../../core/units.ts';
import type { TargetClause } from '../../scenario/target.ts';
import { type MostRate, mostRate, rateFor, senderLimit, senderTime, timeOnLink } from './fastest.ts';
import { pagesLeft } from './pages-left.ts';
import type { PlanProblem } from './plan-problem.ts';

/** Why a target can be kept by no plan at all: something takes at least so long. */
export interface Bound {
  /** The key of the scenario that it comes from. */
  readonly key: string;
  readonly metric: TargetClause['metric'];
  readonly limitNs: Nanos;
  readonly atLeastNs: Nanos;
  /** `2 GiB of device state need 1.72 s at 10 Gbit/s` */
  readonly reason: string;
  /** What the link would have to have left, or it stays impossible; null: no link helps. */
  readonly neededCapacity: BytesPerSecond | null;
}

type Part = Omit<Bound, 'metric' | 'limitNs'>;

/** The first bound that a clause of the target contradicts; undefined: none does. */
export function contradiction(problem: PlanProblem): Bound | undefined {
  const fixed = fixedParts(problem);
  for (const { metric, limitNs, because = '' } of limitsOf(problem)) {
    const bounds = metric === 'downtime' ? stopBounds : copyBounds;
    const parts = [...fixed.bounds(metric), ...bounds(problem, fixed, limitNs)];
    const found = parts.find(({ atLeastNs }) => atLeastNs > limitNs);
    if (found) return { metric, limitNs, ...found, reason: found.reason + because };
  }
  return undefined;
}

type Limit = Pick<TargetClause, 'metric' | 'limitNs'> & { readonly because?: string };

/** The target's, and that of a stop which the scenario has broken off: a migration that does not complete keeps nothing. */
function limitsOf({ target, stopTimeoutNs }: PlanProblem): readonly Limit[] {
  if (stopTimeoutNs === null) return target;
  const because = `, and migration.stopTimeout ends a stop after ${formatDuration(stopTimeoutNs)}`;
  return [...target, { metric: 'downtime', limitNs: stopTimeoutNs, because }];
}

/** What every hand-over takes, one after the other, beside pages and device state. */
interface Fixed {
  readonly ns: Nanos;
  /** Without the sender's CPU time. */
  readonly elsewhereNs: Nanos;
  /** `, besides 400 ms of guest.device.time` */
  readonly besides: string;
  bounds(metric: TargetClause['metric']): Part[];
}

function fixedParts(problem: PlanProblem): Fixed {
  const { plan, cpu, linkLatencyNs } = problem.cell;
  const limit = senderLimit(problem);
  const handover = { key: 'sender.cpuPerHandover', ns: senderTime(limit, cpu.cpuPerHandoverNs) };
  const elsewhere = [
    { key: 'guest.device.time', ns: plan.device?.timeNs ?? 0 },
    // The last page, the answer to it, and the commit.
    { key: 'link.latency', ns: 3 * linkLatencyNs },
  ];
  const parts = [handover, ...elsewhere].filter(({ ns }) => ns > 0);
  const sum = (all: readonly { readonly ns: Nanos }[]) => all.reduce((total, { ns }) => total + ns, 0);
  const slowed = handover.ns > cpu.cpuPerHandoverNs ? ` (${withShare(limit)})` : '';
  const named = parts
    .map(({ key, ns }) => `${formatDuration(ns)} of ${key}${key === handover.key ? slowed : ''}`)
    .join(' and ');
  const ns = sum(parts);
  const [longest] = parts.toSorted((one, other) => other.ns - one.ns);
  return {
    ns,
    elsewhereNs: sum(elsewhere),
    besides: longest ? `, besides ${named}` : '',
    bounds: (metric) =>
      longest
        ? [
            {
              key: longest.key,
              atLeastNs: ns,
              reason: `every ${metric === 'downtime' ? 'stop' : 'migration'} has ${named}, whatever is reserved`,
              neededCapacity: null,
            },
          ]
        : [],
  };
}

/** What no stop is shorter than. */
function stopBounds(problem: PlanProblem, fixed: Fixed, limitNs: Nanos): Part[] {
  const { plan } = problem.cell;
  const stopRate = mostRate(problem, 'link.stopRate');
  const stateBytes = plan.device?.stateBytes ?? 0;
  return [
    onLink(stateBytes - plan.depthBytes, stopRate, fixed, limitNs, {
      key: 'guest.device.state',
      what: `${formatSize(stateBytes)} of device state need`,
      bytes: stateBytes,
    }),
    ...linkLeaves(problem, stopRate, fixed),
    ...senderLeaves(problem, fixed),
    ...timeoutLeaves(problem, stopRate, fixed),
  ];
}

/** Of all that is written in the last τ before a stop, what the link could not send again meanwhile. */
function linkLeaves(problem: PlanProblem, stopRate: MostRate, fixed: Fixed): Part[] {
  const { pageBytes, depthBytes, device } = problem.cell.plan;
  const { rate } = mostRate(problem, 'link.rate');
  const left = pagesLeft(problem.cell, (windowNs) => (windowNs * rate) / (pageBytes * NANOS_PER_SECOND));
  if (!left) return [];
  const { windowNs, written, pages } = left;
  const bytes = pages * pageBytes + (device?.stateBytes ?? 0) - depthBytes;
  const atLeastNs = timeOnLink(bytes, stopRate.rate);
  const sent = `${written} different pages in ${formatDuration(windowNs)}, of which the link carries ${written - pages} meanwhile`;
  const reason = `the guest writes at least ${sent}: the other ${pages} need ${formatDuration(atLeastNs)} at ${stopRate.text}${fixed.besides}`;
  return [{ key: 'guest.program', atLeastNs: fixed.ns + atLeastNs, reason, neededCapacity: null }];
}

/** The same of what the sender could not prepare again meanwhile. */
function senderLeaves(problem: PlanProblem, { elsewhereNs }: Fixed): Part[] {
  const { cpu } = problem.cell;
  if (cpu.cpuPerPageNs === 0) return [];
  const limit = senderLimit(problem);
  const supply = (windowNs: Nanos) => (limit ? mostSupply(limit, windowNs) : windowNs);
  const left = pagesLeft(problem.cell, (windowNs) => supply(windowNs) / cpu.cpuPerPageNs);
  if (!left) return [];
  const { windowNs, written, pages } = left;
  const takesNs = senderTime(limit, cpu.cpuPerHandoverNs + pages * cpu.cpuPerPageNs);
  const prepared = `${written} different pages in ${formatDuration(windowNs)}, of which the sender prepares ${written - pages} meanwhile`;
  const reason = `the guest writes at least ${prepared}: the other ${pages} and the hand-over take it ${formatDuration(takesNs)} ${withShare(limit)}`;
  return [{ key: 'sender.cpuPerPage', atLeastNs: elsewhereNs + takesNs, reason, neededCapacity: null }];
}

/** What of the memory is left when the live rounds must be over. Without a time-out of its own a plan has one that follows. */
function timeoutLeaves(problem: PlanProblem, stopRate: MostRate, fixed: Fixed): Part[] {
  const { timeoutNs, timeoutFrom } = problem.cell.plan;
  if (problem.fixed.length > 0 || timeoutNs === null) return [];
  const live = mostRate(problem, 'link.rate');
  const bytes = copyBytes(problem);
  const carried = Math.min(bytes, (live.rate * timeoutNs) / NANOS_PER_SECOND);
  const takesNs = timeOnLink(bytes - carried, stopRate.rate);
  const reason = `in the ${formatDuration(timeoutNs)} of ${timeoutFrom} the link carries ${formatSize(carried)} of ${formatSize(bytes)} at ${live.text}: the rest needs ${formatDuration(takesNs)} at ${stopRate.text}${fixed.besides}`;
  return [{ key: timeoutFrom!, atLeastNs: fixed.ns + takesNs, reason, neededCapacity: null }];
}

/** What no migration as a whole is shorter than: one copy of the memory, on the link and through the sender's processor. */
function copyBounds(problem: PlanProblem, fixed: Fixed, limitNs: Nanos): Part[] {
  const { guest, plan, cpu } = problem.cell;
  const limit = senderLimit(problem);
  const rates = [mostRate(problem, 'link.rate'), mostRate(problem, 'link.stopRate')];
  const fastest = rates.reduce((most, one) => (one.rate > most.rate ? one : most));
  const memoryBytes = guest.pages * plan.pageBytes - guest.zeroPages * guest.pageSizeBytes;
  const stateBytes = plan.device?.stateBytes ?? 0;
  const state = stateBytes === 0 ? '' : ` and ${formatSize(stateBytes)} of device state`;
  const preparingNs = senderTime(limit, guest.pages * cpu.cpuPerPageNs + cpu.cpuPerHandoverNs);
  return [
    onLink(memoryBytes + stateBytes - plan.depthBytes, fastest, fixed, limitNs, {
      key: stateBytes > memoryBytes ? 'guest.device.state' : 'guest.pages',
      what: `one copy of the memory, ${formatSize(memoryBytes)}${state}, needs`,
      bytes: memoryBytes + stateBytes,
    }),
    {
      key: 'sender.cpuPerPage',
      atLeastNs: fixed.elsewhereNs + preparingNs,
      reason: `to prepare every page once takes the sender ${formatDuration(preparingNs)} ${withShare(limit)}`,
      neededCapacity: null,
    },
  ];
}

/** So many bytes over the link, and what comes besides. */
function onLink(
  sentBytes: number,
  { rate, text, isLinks }: MostRate,
  { ns, besides }: Fixed,
  limitNs: Nanos,
  { key, what, bytes }: { readonly key: string; readonly what: string; readonly bytes: number },
): Part {
  return {
    key,
    atLeastNs: ns + timeOnLink(sentBytes, rate),
    reason: `${what} ${formatDuration(timeOnLink(bytes, rate))} at ${text}${besides}`,
    neededCapacity: isLinks ? rateFor(sentBytes, Math.max(1, limitNs - ns)) : null,
  };
}

/** A token bucket that is full sends so much at once. */
function copyBytes({ cell: { guest, plan } }: PlanProblem): number {
  return guest.pages * plan.pageBytes - guest.zeroPages * guest.pageSizeBytes - plan.depthBytes;
}

function withShare(limit: Reservation | null): string {
  return limit === null
    ? 'with a whole processor'
    : `with ${shareOf(limit).toPrecision(2)} of a processor, the most that is admitted`;
}
