import { admitted, type CpuPlan, ruleOf } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import type { BytesPerSecond } from '../../core/units.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos, parseDuration } from '../../core/units.ts';
import { UsageError, usageError } from '../../platform/problem.ts';
import { cellsOf, type Scenario, type ScenarioCell } from '../../scenario/scenario.ts';
import { combinationsOf, isObject, type Setting } from '../../scenario/settings.ts';
import type { Target, TargetClause } from '../../scenario/target.ts';
import { type Choice, durationText, type ReservedPath, withBudget } from './choice.ts';
import type { CostWeights } from './cost.ts';
import type { PlanSubject } from './plan-subject.ts';

/** What may stay as the scenario has it. */
export const keepable = [
  ...['link.rate', 'link.stopRate', 'sender.reservation', 'guest.reservation'],
  ...['migration.order', 'migration.defer', 'migration.stop'],
] as const;

/** What is to be planned, with everything resolved. */
export interface PlanProblem {
  readonly subject: PlanSubject;
  readonly machine: PredictedMachine | undefined;
  /** As the scenario is written, in the first cell of its matrix. */
  readonly cell: ScenarioCell;
  readonly target: Target;
  readonly cost: CostWeights;
  readonly keep: ReadonlySet<string>;
  /** What the link has left for b and for b_d. */
  readonly capacity: BytesPerSecond;
  /** The key that says so. */
  readonly capacityFrom: string;
  /** The most that can be reserved for the sender, or what it keeps; null: nothing is. */
  readonly senderMost: Reservation | null;
  /** Policies to choose from: all of a list, or one of each of several axes. */
  readonly policies: Policies;
  /** Beside a choice, while it is searched: the time-out, which would otherwise follow b. */
  readonly fixed: readonly Setting[];
  /** When the scenario has a stop broken off; null: it says nothing, and what is given follows from b_d. */
  readonly stopTimeoutNs: Nanos | null;
}

export type Policies =
  | { readonly kind: 'list'; readonly list: readonly (readonly Setting[])[] }
  | { readonly kind: 'axes'; readonly axes: readonly (readonly Setting[])[] };

const DEFAULT_PERIOD_NS: Nanos = 10 * NANOS_PER_MILLISECOND;
const TIMEOUT_COPIES = 5;

interface Asked extends Pick<PlanProblem, 'machine' | 'target' | 'cost' | 'keep'> {
  readonly scenario: Scenario;
}

/** @throws UsageError the scenario is none that can be planned */
export function planProblem({ scenario, machine, target, cost, keep }: Asked): PlanProblem {
  const matrix = combinationsOf(scenario.compare);
  const others = matrix[0]!.filter(({ path }) => !path.startsWith('migration.'));
  if (others.length > 0) {
    const expected =
      'settings of migration alone, as a plan is for one guest over one link (--set compare=null)';
    throw new UsageError([{ path: 'compare', expected, found: others[0]!.path }]);
  }
  const [cell, ...more] = cellsOf(scenario, matrix[0]!);
  if (more.length > 0) throw usageError('fleet', 'no such key in what is to be planned', 'some');
  const { base, file } = scenario;
  const subject: PlanSubject = { kind: 'scenario', base, file };
  const stopTimeoutNs = saysStopTimeout(base) ? cell!.plan.stopTimeoutNs : null;
  const problem = { subject, machine, cell: cell!, target, cost, keep, ...capacityOf(cell!) };
  return {
    ...problem,
    senderMost: mostForSender(cell!, keep),
    policies: matrix.length > 1 ? { kind: 'list', list: matrix } : axesOf(problem),
    fixed: timeoutOf(problem),
    stopTimeoutNs,
  };
}

/** Without a time-out of its own, a plan has one of some copies of the memory over the whole link. */
export function timeoutOf({ cell, capacity }: Pick<PlanProblem, 'cell' | 'capacity'>): readonly Setting[] {
  const { plan } = cell;
  if (plan.timeoutFrom?.startsWith('migration.')) return [];
  const copyNs = (plan.pages * plan.pageBytes * NANOS_PER_SECOND) / capacity;
  return [
    { path: 'migration.timeout', value: durationText(Math.ceil((TIMEOUT_COPIES * copyNs) / 1e6) * 1e6) },
  ];
}

/** So much longer may a machine take than virtual time, which knows not all of it; still, a tenth less of b is too late. */
const ROOM = 1.05;

/** What stays beside a choice once it is certified: the time-out is no longer as short as it can be. */
export function withRoom(fixed: readonly Setting[]): readonly Setting[] {
  return fixed.map(({ path, value }) => {
    const longerNs = ROOM * parseDuration(String(value))!;
    return { path, value: durationText(Math.ceil(longerNs / 1e6) * 1e6) };
  });
}

function saysStopTimeout({ migration }: Scenario['base']): boolean {
  return isObject(migration) && migration.stopTimeout !== undefined;
}

/** Without a capacity the link has what the scenario reserves of it. */
function capacityOf({ plan, linkCapacityBytesPerSecond, antagonists }: ScenarioCell) {
  if (plan.isElastic) throw usageError('link.rate', 'a rate, which a plan may change', 'elastic');
  const cross = antagonists.reduce(
    (sum, each) => sum + (each.kind === 'cross-traffic' ? each.bytesPerSecond : 0),
    0,
  );
  if (Number.isFinite(linkCapacityBytesPerSecond)) {
    return { capacity: linkCapacityBytesPerSecond - cross, capacityFrom: 'link.capacity' };
  }
  const { rateBytesPerSecond: rate, stopRateBytesPerSecond: stopRate } = plan;
  if (rate === null || stopRate === null) {
    throw usageError('link.capacity', 'a rate, of which b and b_d are taken', undefined);
  }
  return rate >= stopRate
    ? { capacity: rate, capacityFrom: 'link.rate' }
    : { capacity: stopRate, capacityFrom: 'link.stopRate' };
}

/**
 * A sender that works is reserved CPU time where somebody else wants the processors, and reservations are kept. As much as
 * is admitted beside the guest's. On a host on which the guest lives, others live too.
 */
export function mostForSender({ cpu, guest }: ScenarioCell, keep: ReadonlySet<string>): Reservation | null {
  if (keep.has('sender.reservation')) return cpu.sender;
  const works = cpu.cpuPerPageNs + cpu.cpuPerHandoverNs > 0;
  const isOnHost = cpu.guestScheduler !== null;
  const guestWorks = cpu.guest !== null || guest.cpuPerWriteNs > 0 || guest.program.kind === 'stream';
  const isBeside = cpu.hogs > 0 || isOnHost || guestWorks;
  const keeps = ruleOf[cpu.scheduler] !== undefined || (cpu.scheduler === 'none' && cpu.hogs > 0);
  if (!works || !isBeside || !keeps) return cpu.sender;
  return mostBudget({ ...cpu, scheduler: ruleOf[cpu.scheduler] ? cpu.scheduler : 'cbs-hard' });
}

function mostBudget(cpu: CpuPlan): Reservation | null {
  const period = { budgetNs: 0, periodNs: cpu.sender?.periodNs ?? DEFAULT_PERIOD_NS };
  for (let percent = 100; percent > 0; percent--) {
    const sender = withBudget(period, Math.floor((period.periodNs * percent) / 100));
    if (admitted({ ...cpu, sender }, String).admitted) return sender;
  }
  return null;
}

/** What of the policy is chosen: rounds or QEMU's rule, order, deferral. */
export function axesOf({ cell, target, keep }: Pick<PlanProblem, 'cell' | 'target' | 'keep'>): Policies {
  const { plan } = cell;
  const downtime = clauseOf(target, 'downtime');
  const axis = (path: string, values: readonly unknown[]): readonly Setting[] =>
    keep.has(path) ? [] : values.map((value) => ({ path, value }));
  const orders = plan.clear === 'page' ? [...new Set([plan.order, 'threshold'])] : [plan.order];
  const limits = downtime
    ? [0.5, 1, 2].map((times) => durationText(Math.round(times * downtime.limitNs)))
    : [];
  const rounds = [1, 2, 3, 4, 6, 8].map((count) => ({ rule: 'rounds', rounds: count }));
  const deferrals = ['none', { threshold: 0.3 }, { threshold: 0.7 }];
  const ruled = limits.map((limit) => ({ rule: 'downtime', limit }));
  const isOwn = plan.stop.rule === 'rounds' || plan.stop.rule === 'downtime';
  return {
    kind: 'axes',
    axes: [
      isOwn ? axis('migration.stop', [...rounds, ...ruled]) : [],
      plan.defer === null ? axis('migration.defer', deferrals) : [],
      axis('migration.order', orders),
    ].filter((values) => values.length > 1),
  };
}

export function clauseOf(target: Target, metric: TargetClause['metric']): TargetClause | undefined {
  return target.find((clause) => clause.metric === metric);
}

/** The reservations that a plan chooses, of those that a choice has. */
export function chosenPaths(
  { keep }: Pick<PlanProblem, 'keep'>,
  { stopRate, sender, guest }: Choice,
): readonly ReservedPath[] {
  const all: readonly (readonly [ReservedPath, unknown])[] = [
    ['link.rate', true],
    ['link.stopRate', stopRate],
    ['sender.reservation', sender],
    ['guest.reservation', guest],
  ];
  return all.filter(([path, has]) => has !== null && !keep.has(path)).map(([path]) => path);
}
