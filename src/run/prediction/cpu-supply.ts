import {
  type CpuPlan,
  isContended,
  ruleOf,
  type SchedEntity,
  type Scheduler,
  schedEntities,
  schedulerOf,
} from '../../core/cpu/cpu-plan.ts';
import { FAIR_QUANTUM_NS } from '../../core/cpu/processor.ts';
import { shareOf } from '../../core/cpu/reservation.ts';
import type { Plan } from '../../core/migration/plan.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { type Claimant, fairShares } from '../../model/processor-shares.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { guestLoad } from '../../worlds/virtual/guest-load.ts';

/** What the processors give to sender and guest, on average. */
export interface CpuSupply {
  /** The most that the sender can prepare in a second, at a link of this rate; infinite: it needs no CPU time. */
  mostBytesPerSecond(linkBytesPerSecond: BytesPerSecond): BytesPerSecond;
  /** How fast the guest's program goes beside a sender of this rate; below 1 where it is short of CPU time. */
  guestSpeed(rateBytesPerSecond: BytesPerSecond): number;
  /**
   * How long the sender takes for so much work while the guest stands.
   * @param wasBusy whether its CPU time was short before, so that of its budget the middle is left on average
   */
  stoppedNs(workNs: Nanos, wasBusy: boolean): Nanos;
}

const unlimited: CpuSupply = {
  mostBytesPerSecond: () => Number.POSITIVE_INFINITY,
  guestSpeed: () => 1,
  stoppedNs: (workNs) => workNs,
};

/**
 * The same scheduler as in virtual time, in the long run.
 * @param passedBytesPerSecond how fast a page passes once it has left the bucket
 */
export function cpuSupplyOf(
  { guest, plan, cpu, machine }: MigrationSpec,
  passedBytesPerSecond: BytesPerSecond,
): CpuSupply {
  if (!isContended(cpu)) return unlimited;
  const { cpuPerPageNs } = cpu;
  const load = guestLoad(guest, machine?.costs.idleShare?.median);
  const guestDemand = load ? load.workNs / load.periodNs : 0;
  const all = schedEntities(cpu);
  const shareOn = (name: 'guest' | 'sender', senderDemand: number): number => {
    const { processor } = all.find((entity) => entity.name === name)!;
    const here = all.filter((entity) => entity.processor === processor);
    return sharesOn(schedulerOf(cpu, name), here, (kind) => demandOf(kind, guestDemand, senderDemand)).get(
      name,
    )!;
  };
  const hogs = hogsBeside('sender', all);
  return {
    mostBytesPerSecond: (linkBytesPerSecond) => {
      if (cpuPerPageNs === 0) return Number.POSITIVE_INFINITY;
      const share = shareOn('sender', Number.POSITIVE_INFINITY);
      const ofCpuTime = oneAfterTheOther(plan, cpuPerPageNs / share);
      if (cpu.sender || hogs === 0) return ofCpuTime;
      return Math.min(
        ofCpuTime,
        inTurns(linkBytesPerSecond, hogs, plan, { cpuPerPageNs, passedBytesPerSecond }),
      );
    },
    guestSpeed: (rateBytesPerSecond) => {
      if (guestDemand === 0) return 1;
      const used = (rateBytesPerSecond * cpuPerPageNs) / (plan.pageBytes * NANOS_PER_SECOND);
      return Math.min(1, shareOn('guest', used) / guestDemand);
    },
    stoppedNs: (workNs, wasBusy) => stoppedNs(cpu, hogs, workNs, wasBusy),
  };
}

/**
 * A page is prepared once the bucket would let it leave. What comes into the bucket meanwhile is lost where it is full: a page
 * that is prepared in c is followed by the next after
 *
 *   c + max(0, P − min(D − P, b·c)) / b
 *
 * so that preparing and waiting for tokens overlap only if the bucket holds two pages (D ≥ 2P).
 */
function oneAfterTheOther(
  { pageBytes, depthBytes, rateBytesPerSecond }: Plan,
  preparingNs: Nanos,
): BytesPerSecond {
  const rate = rateBytesPerSecond ?? Number.POSITIVE_INFINITY;
  const kept = Math.min(depthBytes - pageBytes, (rate * preparingNs) / NANOS_PER_SECOND);
  const waitingNs = (Math.max(0, pageBytes - kept) * NANOS_PER_SECOND) / rate;
  return (pageBytes * NANOS_PER_SECOND) / (preparingNs + waitingNs);
}

function demandOf(kind: SchedEntity['kind'], guestDemand: number, senderDemand: number): number {
  if (kind === 'guest') return guestDemand;
  return kind === 'sender' ? senderDemand : Number.POSITIVE_INFINITY;
}

/** Servers come first, a hard one with no more than its share; the others take turns in what these leave. */
function sharesOn(
  scheduler: Scheduler,
  here: readonly SchedEntity[],
  demand: (kind: SchedEntity['kind']) => number,
): ReadonlyMap<string, number> {
  const servers = here.filter(({ reservation }) => reservation !== null);
  const others = here.filter(({ reservation }) => reservation === null);
  const isSoft = ruleOf[scheduler] === 'soft';
  const served = fairShares(
    1,
    servers.map(({ kind, reservation }): Claimant => {
      const weight = shareOf(reservation!);
      return { demand: isSoft ? demand(kind) : Math.min(demand(kind), weight), weight };
    }),
  );
  const rest = Math.max(0, 1 - served.reduce((sum, share) => sum + share, 0));
  const turns = fairShares(
    rest,
    others.map(({ kind }): Claimant => ({ demand: demand(kind), weight: 1 })),
  );
  return new Map([
    ...servers.map(({ name }, index) => [name, served[index]!] as const),
    ...others.map(({ name }, index) => [name, turns[index]!] as const),
  ]);
}

function hogsBeside(name: string, all: readonly SchedEntity[]): number {
  const { processor } = all.find((entity) => entity.name === name)!;
  return all.filter((entity) => entity.kind === 'hog' && entity.processor === processor).length;
}

/**
 * A sender that waits for tokens goes behind all hogs each time that it has none, and meanwhile its bucket overflows:
 * in a turn it sends what the bucket holds and what comes in meanwhile, n = depth/(P + H − b·w) pages, and then waits
 * for a token and for all others' turns.
 */
function inTurns(
  linkBytesPerSecond: BytesPerSecond,
  hogs: number,
  { pageBytes, depthBytes }: { readonly pageBytes: Bytes; readonly depthBytes: Bytes },
  { cpuPerPageNs, passedBytesPerSecond }: { cpuPerPageNs: Nanos; passedBytesPerSecond: BytesPerSecond },
): BytesPerSecond {
  const earned = (linkBytesPerSecond * cpuPerPageNs) / NANOS_PER_SECOND;
  if (earned >= pageBytes) return Number.POSITIVE_INFINITY;
  // Behind a bottleneck it also waits for each page to pass, with the next one prepared.
  const isHeldUp = (pageBytes * NANOS_PER_SECOND) / passedBytesPerSecond > cpuPerPageNs;
  const pages = Math.min(depthBytes / (pageBytes - earned), isHeldUp ? 2 : Number.POSITIVE_INFINITY);
  const tokenNs = (pageBytes * NANOS_PER_SECOND) / linkBytesPerSecond;
  const turnNs = hogs * FAIR_QUANTUM_NS + tokenNs + pages * cpuPerPageNs;
  return (pages * pageBytes * NANOS_PER_SECOND) / turnNs;
}

/**
 * Under a hard server work takes 1/U of its time on average, wherever in its budget it begins; it begins with a whole
 * budget where the server slept before, as a server that wakes with enough budget left gets a new one. A soft server
 * has the processor for itself. Without a reservation the sender waits for a turn of each hog, and again after each
 * quantum.
 */
function stoppedNs({ scheduler, sender }: CpuPlan, hogs: number, workNs: Nanos, wasBusy: boolean): Nanos {
  if (workNs === 0) return 0;
  if (!sender) return workNs + Math.ceil(workNs / FAIR_QUANTUM_NS) * hogs * FAIR_QUANTUM_NS;
  if (ruleOf[scheduler] === 'soft') return workNs;
  if (wasBusy) return workNs / shareOf(sender);
  const { budgetNs, periodNs } = sender;
  return workNs + (Math.ceil(workNs / budgetNs) - 1) * (periodNs - budgetNs);
}
