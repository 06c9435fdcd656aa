import { admitted } from '../../core/cpu/cpu-plan.ts';
import { formatReservation, type Reservation } from '../../core/cpu/reservation.ts';
import { formatDuration, formatRate, NANOS_PER_SECOND } from '../../core/units.ts';
import type { Target } from '../../scenario/target.ts';
import { quantile } from '../statistics/estimate.ts';
import type { InfeasiblePlan, PlanAnswer, Sensitivity } from './answer.ts';
import { contradiction } from './bound.ts';
import { amountText, rateText, scaled, settingsOfChoice } from './choice.ts';
import { costOf } from './cost.ts';
import { leftOutOfPlan } from './left-out-of-plan.ts';
import { chosenPaths, clauseOf, mostForSender, type PlanProblem, withRoom } from './plan-problem.ts';
import { seedsFrom } from './promise-certificate.ts';
import { floorOf } from './reach.ts';
import { isKept } from './sample.ts';
import { type Found, type NotFound, SEARCH_CPU_NS, search } from './search.ts';
import { budgetsFor, type GuestTasks, type StopOfTasks, stopOfTasks } from './tasks.ts';
import { Trials } from './trials.ts';

const DEFAULT_PERIOD_NS = 10_000_000;
/** A target that follows from tasks alone is to be kept with this probability. */
const TASKS_PROBABILITY = 0.99;
/** So many migrations at most show what becomes of a reservation that is cut. */
const CUT_RUNS = 200;

/**
 * The least reservations and the policy that keep a target, with a certificate; or why there are none.
 * @param tasks a real-time task set in the guest, from which a limit of the downtime follows
 */
export async function plan(
  problem: PlanProblem,
  tasks: GuestTasks | null,
  seed: number,
): Promise<PlanAnswer> {
  const stop = tasks ? stopsOf(problem, tasks) : [null];
  if (stop.length === 0) return neverSchedulable(problem, tasks!);
  const answers: PlanAnswer[] = [];
  // The least budget of the guest's that allows a plan at all costs least there, and most on the link: each is weighed.
  for (const one of stop) {
    const answer = await planUnder(one ? under(problem, one) : problem, tasks, one, seed);
    if (answer.feasible && stop.length === 1) return answer;
    answers.push(answer);
  }
  const feasible = answers.filter((answer) => answer.feasible);
  if (feasible.length === 0) return answers.at(-1)!;
  return feasible.reduce((best, one) => (one.choiceCost < best.choiceCost ? one : best));
}

/** How long the tasks may stand, under the guest's reservation or under each that it may be given. */
function stopsOf({ cell, keep }: PlanProblem, tasks: GuestTasks): readonly StopOfTasks[] {
  const given = cell.cpu.guest ?? tasks.reservation;
  if (given || keep.has('guest.reservation')) {
    const found = stopOfTasks(tasks, given ?? { budgetNs: 1, periodNs: 1 });
    return found.downtimeNs === null ? [] : [found];
  }
  const most = { budgetNs: DEFAULT_PERIOD_NS, periodNs: DEFAULT_PERIOD_NS };
  const budgets = budgetsFor(tasks, most).filter((guest) => isAdmitted(cell.cpu, guest));
  // The least, and some that leave more time for the stop.
  const kept = budgets.filter((_, index) => index % Math.max(1, Math.ceil(budgets.length / 3)) === 0);
  return kept.map((reservation) => stopOfTasks(tasks, reservation));
}

function isAdmitted(cpu: PlanProblem['cell']['cpu'], guest: Reservation): boolean {
  const scheduler = cpu.scheduler === 'none' ? 'cbs-hard' : cpu.scheduler;
  return admitted({ ...cpu, scheduler, guest }, String).admitted;
}

/** The same problem with this reservation of the guest's, and what its tasks ask for. */
function under(problem: PlanProblem, { reservation, downtimeNs }: StopOfTasks): PlanProblem {
  const asked = clauseOf(problem.target, 'downtime');
  const limitNs = Math.min(downtimeNs!, asked?.limitNs ?? Number.POSITIVE_INFINITY);
  const clause = {
    metric: 'downtime',
    limitNs,
    probability: asked?.probability ?? TASKS_PROBABILITY,
  } as const;
  const target: Target = [clause, ...problem.target.filter(({ metric }) => metric !== 'downtime')];
  const cell = { ...problem.cell, cpu: { ...problem.cell.cpu, guest: reservation } };
  return { ...problem, target, cell, senderMost: mostForSender(cell, problem.keep) };
}

async function planUnder(
  problem: PlanProblem,
  tasks: GuestTasks | null,
  stop: StopOfTasks | null,
  seed: number,
): Promise<PlanAnswer> {
  const told = { target: problem.target, tasks: stop, cost: problem.cost };
  const bound = contradiction(problem);
  if (bound) {
    const { reason, neededCapacity } = bound;
    const instead =
      neededCapacity === null ? '' : `; ${formatRate(neededCapacity)} at least would have to be there`;
    return {
      feasible: false,
      ...told,
      migrations: 0,
      leftOut: leftOutOfPlan(problem),
      bound,
      reason: reason + instead,
    };
  }
  const trials = new Trials(problem.subject, problem.machine);
  try {
    const found = await search(problem, trials, seed);
    if (!('choice' in found)) return notFound(problem, found, { ...told, migrations: trials.count });
    const { choice, certificate, front } = found;
    const settings = [...settingsOfChoice(choice), ...withRoom(problem.fixed)];
    const sensitivity = await cuts(problem, found, tasks, trials);
    const done = found.trials.filter((trial) => trial !== null);
    return {
      feasible: true,
      ...told,
      ...{ choice, settings, certificate, front, sensitivity },
      choiceCost: costOf(choice, problem.cost, problem.capacity),
      downtimeNs: quantile(
        done.map(({ downtimeNs }) => downtimeNs),
        0.5,
      ),
      totalNs: quantile(
        done.map(({ totalNs }) => totalNs),
        0.5,
      ),
      migrations: trials.count,
      leftOut: [...leftOutOfPlan(problem), ...ofSearch(found)],
    };
  } finally {
    await trials.end();
  }
}

function ofSearch({ isUnfinished }: Pick<Found | NotFound, 'isUnfinished'>): readonly string[] {
  const seconds = SEARCH_CPU_NS / NANOS_PER_SECOND;
  return isUnfinished
    ? [`what a longer search finds: this one ended after ${seconds} s of processor time`]
    : [];
}

/** Each reservation cut by a tenth, on migrations from the first seed of the certificate on. */
async function cuts(
  problem: PlanProblem,
  { choice, certificate, sample }: Found,
  tasks: GuestTasks | null,
  trials: Trials,
): Promise<readonly Sensitivity[]> {
  const runs = Math.min(CUT_RUNS, sample);
  const all: Sensitivity[] = [];
  for (const path of chosenPaths(problem, choice)) {
    // The guest's is chosen only for its tasks: without them nothing says what it needs.
    if (path === 'guest.reservation' && !tasks) continue;
    const less = scaled(choice, path, 0.9);
    const target =
      path === 'guest.reservation' && tasks
        ? stricter(problem.target, stopOfTasks(tasks, less.guest!))
        : problem.target;
    const seeds = seedsFrom(certificate.seeds.first, runs);
    const settings = [...settingsOfChoice(less), ...withRoom(problem.fixed)];
    const done = target ? await trials.run(settings, seeds) : [];
    const missed = problem.target.some(({ metric, probability }) => {
      const clause = target?.filter((one) => one.metric === metric) ?? [];
      return done.filter((trial) => isKept(trial, clause)).length < probability * runs;
    });
    const kept = target ? done.filter((trial) => isKept(trial, target)).length : 0;
    all.push({
      ...{ cut: path, from: amountText(choice, path), to: amountText(less, path), runs, kept, missed },
      incomplete: done.filter((trial) => trial === null).length,
      floor: missed ? null : floorOf(problem, choice, path),
    });
  }
  return all;
}

/** What the tasks ask for under another reservation; null: a deadline is missed without any stop. */
function stricter(target: Target, { downtimeNs }: StopOfTasks): Target | null {
  if (downtimeNs === null) return null;
  return target.map((clause) =>
    clause.metric === 'downtime' ? { ...clause, limitNs: Math.min(clause.limitNs, downtimeNs) } : clause,
  );
}

function notFound(
  problem: PlanProblem,
  { closest, neededCapacity, isUnfinished }: NotFound,
  told: Pick<InfeasiblePlan, 'target' | 'tasks' | 'cost' | 'migrations'>,
): InfeasiblePlan {
  const { capacity, capacityFrom, senderMost, fixed } = problem;
  const all = [
    `${formatRate(capacity)} of ${capacityFrom}`,
    ...(senderMost ? [`${formatReservation(senderMost)} for the sender`] : []),
    // Who waits longer may find a better moment to stop.
    ...fixed.map(({ path, value }) => `${path}=${value}`),
  ].join(' and ');
  const came = closest ? `; the closest kept it in ${closest.kept} of ${closest.runs} migrations` : '';
  const instead =
    neededCapacity === null
      ? ''
      : `; by the model, link.capacity=${rateText(neededCapacity)} would be enough`;
  const reason = `no choice within ${all} was found to keep it${came}. No bound was found that proves it impossible${instead}`;
  const leftOut = [...leftOutOfPlan(problem), ...ofSearch({ isUnfinished })];
  return { feasible: false, ...told, leftOut, bound: null, reason };
}

function neverSchedulable(problem: PlanProblem, tasks: GuestTasks): InfeasiblePlan {
  const given = problem.cell.cpu.guest ??
    tasks.reservation ?? { budgetNs: DEFAULT_PERIOD_NS, periodNs: DEFAULT_PERIOD_NS };
  const stop = stopOfTasks(tasks, given);
  const { longestStopNs, task } = stop;
  const why =
    longestStopNs === null
      ? `${task} can miss its deadline without any stop`
      : `${task} may stand for no more than ${formatDuration(longestStopNs)}, and a server that begins anew at the destination may wait for as long as that`;
  return {
    feasible: false,
    target: problem.target,
    tasks: stop,
    cost: problem.cost,
    migrations: 0,
    leftOut: leftOutOfPlan(problem),
    bound: {
      key: 'guest.reservation',
      metric: 'downtime',
      limitNs: Math.max(0, longestStopNs ?? 0),
      atLeastNs: given.periodNs - given.budgetNs,
      reason: why,
      neededCapacity: null,
    },
    reason: `under ${formatReservation(given)} for the guest, ${why}`,
  };
}
