import { isContended } from '../../core/cpu/cpu-plan.ts';
import { shareOf } from '../../core/cpu/reservation.ts';
import {
  type BytesPerSecond,
  formatDuration,
  formatRate,
  formatSize,
  NANOS_PER_SECOND,
  type Nanos,
} from '../../core/units.ts';
import type { ScenarioCell } from '../../scenario/scenario.ts';
import type { TargetClause } from '../../scenario/target.ts';
import { curveOf } from '../../workload/dirty-curve.ts';
import { strataOf } from '../../workload/strata.ts';
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
  /** The capacity of the link without which it stays impossible; null: no link helps. */
  readonly neededCapacity: BytesPerSecond | null;
}

type Part = Omit<Bound, 'metric' | 'limitNs'>;

/** The first bound that a clause of the target contradicts; undefined: none does. */
export function contradiction(problem: PlanProblem): Bound | undefined {
  for (const clause of problem.target) {
    const parts =
      clause.metric === 'downtime'
        ? stopBounds(problem, clause.limitNs)
        : copyBounds(problem, clause.limitNs);
    const found = parts.find(({ atLeastNs }) => atLeastNs > clause.limitNs);
    if (found) return { metric: clause.metric, limitNs: clause.limitNs, ...found };
  }
  return undefined;
}

/** What no stop is shorter than. */
function stopBounds(problem: PlanProblem, limitNs: Nanos): Part[] {
  const { cell, capacity } = problem;
  const { plan, cpu, linkLatencyNs } = cell;
  const parts = [
    { key: 'sender.cpuPerHandover', ns: cpu.cpuPerHandoverNs },
    { key: 'guest.device.time', ns: plan.device?.timeNs ?? 0 },
    // The last page, the answer to it, and the commit.
    { key: 'link.latency', ns: 3 * linkLatencyNs },
  ].filter(({ ns }) => ns > 0);
  const fixedNs = parts.reduce((sum, { ns }) => sum + ns, 0);
  const named = parts.map(({ key, ns }) => `${formatDuration(ns)} of ${key}`).join(' and ');
  const besides = parts.length === 0 ? '' : `, besides ${named}`;
  const stateBytes = plan.device?.stateBytes ?? 0;
  const leftNs = Math.max(1, limitNs - fixedNs);
  const left = pagesLeft(problem);
  return [
    ...(parts.length > 0
      ? [
          {
            key: parts[0]!.key,
            atLeastNs: fixedNs,
            reason: `every stop has ${named}, whatever is reserved`,
            neededCapacity: null,
          },
        ]
      : []),
    {
      key: 'guest.device.state',
      atLeastNs: fixedNs + timeOf(stateBytes - plan.depthBytes, capacity),
      reason: `${formatSize(stateBytes)} of device state need ${formatDuration(timeOf(stateBytes, capacity))} at ${formatRate(capacity)}${besides}`,
      neededCapacity: rateFor(stateBytes - plan.depthBytes, leftNs),
    },
    ...(left ? [leftBound(left, problem, fixedNs, besides)] : []),
  ];
}

/** Of all that is written in the last τ before a stop, what could not be sent again meanwhile. */
function leftBound(
  { windowNs, written, pages }: PagesLeft,
  { cell, capacity }: PlanProblem,
  fixedNs: Nanos,
  besides: string,
): Part {
  const { pageBytes, depthBytes, device } = cell.plan;
  const bytes = pages * pageBytes + (device?.stateBytes ?? 0) - depthBytes;
  const sent = `${written} different pages in ${formatDuration(windowNs)}, of which the link carries ${written - pages} meanwhile`;
  return {
    key: 'guest.program',
    atLeastNs: fixedNs + timeOf(bytes, capacity),
    reason: `the guest writes at least ${sent}: the other ${pages} need ${formatDuration(timeOf(bytes, capacity))} at ${formatRate(capacity)}${besides}`,
    neededCapacity: null,
  };
}

interface PagesLeft {
  readonly windowNs: Nanos;
  readonly written: number;
  readonly pages: number;
}

/** So many deviations below its mean a number of pages practically never is: once in a billion. */
const DEVIATIONS = 6;

/**
 * The most over all windows τ of W(τ) − τ·C/(P + H): pages that were written in the last τ are dirty unless they were sent
 * in it. undefined: the program says of itself nothing of that kind, or CPU time may slow it down.
 */
function pagesLeft({ cell, capacity }: PlanProblem): PagesLeft | undefined {
  const { guest, plan, cpu } = cell;
  const writes = writtenWithin(cell);
  const isSlowed = isContended(cpu) && (guest.cpuPerWriteNs > 0 || guest.program.kind === 'stream');
  if (!writes || isSlowed || guest.bursts) return undefined;
  let most: PagesLeft = { windowNs: 0, written: 0, pages: 0 };
  for (let windowNs = 1e5; windowNs < 1e12; windowNs *= 1.02) {
    const written = Math.floor(writes(windowNs));
    const pages = Math.floor(written - (windowNs * capacity) / (plan.pageBytes * NANOS_PER_SECOND));
    if (pages > most.pages) most = { windowNs, written, pages };
  }
  return most.pages > 0 ? most : undefined;
}

/** How many different pages the guest writes at least in a window. */
function writtenWithin({ guest }: ScenarioCell): ((windowNs: Nanos) => number) | undefined {
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

/** What no migration as a whole is shorter than: one copy of the memory, on the link and through the sender's processor. */
function copyBounds({ cell, capacity, senderMost }: PlanProblem, limitNs: Nanos): Part[] {
  const { guest, plan, cpu } = cell;
  const bytes = guest.pages * plan.pageBytes - guest.zeroPages * guest.pageSizeBytes;
  const share = senderMost ? shareOf(senderMost) : 1;
  const cpuNs = (guest.pages * cpu.cpuPerPageNs) / share;
  return [
    {
      key: 'guest.pages',
      atLeastNs: timeOf(bytes - plan.depthBytes, capacity),
      reason: `one copy of the memory, ${formatSize(bytes)}, needs ${formatDuration(timeOf(bytes, capacity))} at ${formatRate(capacity)}`,
      neededCapacity: rateFor(bytes - plan.depthBytes, limitNs),
    },
    {
      key: 'sender.cpuPerPage',
      atLeastNs: cpuNs,
      reason: `to prepare every page once takes the sender ${formatDuration(cpuNs)} with ${share.toPrecision(2)} of a processor, the most that is admitted`,
      neededCapacity: null,
    },
  ];
}

function timeOf(bytes: number, rate: BytesPerSecond): Nanos {
  return (Math.max(0, bytes) * NANOS_PER_SECOND) / rate;
}

function rateFor(bytes: number, ns: Nanos): BytesPerSecond {
  return Math.ceil((Math.max(0, bytes) * NANOS_PER_SECOND) / ns);
}
