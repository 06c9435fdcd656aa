import type { BytesPerSecond } from '../../core/units.ts';
import { combinationsOf, type Setting } from '../../scenario/settings.ts';
import {
  type Choice,
  type ReservedPath,
  rateText,
  readableRate,
  scaled,
  settingsOfChoice,
} from './choice.ts';
import { type Narrowed, Narrowing, paretoFront } from './narrow.ts';
import { chosenPaths, clauseOf, type PlanProblem } from './plan-problem.ts';
import type { Trial } from './plan-worker.ts';
import { type Certificate, certify, isKept, seedsFrom } from './promise-certificate.ts';
import { Refining } from './refine.ts';
import type { Trials } from './trials.ts';

/** A choice that was certified. */
export interface Found {
  readonly choice: Choice;
  readonly certificate: Certificate;
  readonly trials: readonly Trial[];
  /** How long one of them took, on all processors together. */
  readonly msPerRun: number;
  readonly front: readonly Narrowed[];
}

/** Why nothing was certified: which choice came closest, by how much of a sample it kept. */
export interface NotFound {
  readonly closest: { readonly choice: Choice; readonly runs: number; readonly kept: number } | null;
  /** By the model, with so much the target would be kept; null: it knows of nothing up to eight times as much as there is. */
  readonly neededCapacity: BytesPerSecond | null;
}

/** The sample's share of what a target allows to be missed is four migrations, if they can be computed in this time. */
const SAMPLE_MISSES = 4;
const SAMPLE_LEAST = 40;
const PASS_MS = 4_000;
/** So many choices of the model are tried in virtual time before it is given up, and so many are certified. */
const TRIED_MAX = 6;
const ATTEMPTS_MAX = 4;
/** After so long no other choice is tried. */
const SEARCH_MS = 30_000;
const TIMED_RUNS = 8;
/** The seeds of certificates lie so far from those of the search, and from each other. */
const FRESH_SEEDS = 1_000_000_000;

/** The model narrows, virtual time decides, and fresh seeds certify. */
export async function search(problem: PlanProblem, trials: Trials, seed: number): Promise<Found | NotFound> {
  const narrowed = await new Narrowing(problem, trials).run();
  const starts = narrowed.length > 0 ? distinct(narrowed) : await withoutModel(problem, trials, seed);
  const endsAtMs = performance.now() + SEARCH_MS;
  let closest: NotFound['closest'] = null;
  let attempt = 0;
  for (const start of starts.slice(0, TRIED_MAX)) {
    const refining = new Refining(problem, trials, await sampleOf(problem, start, trials, seed));
    let choice = await refined(problem, refining, start, endsAtMs);
    while (choice && attempt < ATTEMPTS_MAX) {
      const firstSeed = seed + FRESH_SEEDS * (attempt + 1);
      const began = performance.now();
      const { certificate, trials: done } = await certify(choice, problem, trials, { attempt, firstSeed });
      const msPerRun = (performance.now() - began) / done.length;
      const front = paretoFront(narrowed);
      if (certificate) return { choice, certificate, trials: done, msPerRun, front };
      attempt += 1;
      const kept = done.filter((trial) => isKept(trial, problem.target)).length;
      closest = { choice, runs: done.length, kept };
      choice = more(problem, choice);
    }
    if (attempt >= ATTEMPTS_MAX || performance.now() > endsAtMs) break;
    closest ??= { choice: start, runs: refining.size, kept: refining.size - (await refining.missed(start)) };
  }
  return { closest, neededCapacity: await withMore(problem, trials) };
}

/** How much of a link the model would need, if it had more and more of one. */
async function withMore(problem: PlanProblem, trials: Trials): Promise<BytesPerSecond | null> {
  for (const times of [1.5, 3, 8]) {
    const capacity = problem.capacity * times;
    const settings = [...problem.fixed, { path: 'link.capacity', value: rateText(readableRate(capacity)) }];
    const [best] = await new Narrowing({ ...problem, capacity, fixed: settings }, trials).run();
    const needed = best ? Math.max(best.choice.rate, best.choice.stopRate ?? 0) : 0;
    if (needed > problem.capacity) return needed;
  }
  return null;
}

/** The best of each policy, the cheapest first. */
function distinct(narrowed: readonly Narrowed[]): readonly Choice[] {
  const best = new Map<string, Choice>();
  for (const { choice } of narrowed) {
    const key = JSON.stringify(choice.policy);
    if (!best.has(key)) best.set(key, choice);
  }
  return [...best.values()];
}

/** Where the model knows none: with all that there is, the policies that miss the least of a few migrations. */
async function withoutModel(problem: PlanProblem, trials: Trials, seed: number): Promise<readonly Choice[]> {
  const { policies, capacity, cell, senderMost, target } = problem;
  const list: readonly (readonly Setting[])[] =
    policies.kind === 'list'
      ? policies.list
      : combinationsOf(
          Object.fromEntries(policies.axes.map((axis) => [axis[0]!.path, axis.map(({ value }) => value)])),
        );
  const stopRate = clauseOf(target, 'downtime') ? capacity : null;
  const all = { rate: capacity, stopRate, sender: senderMost, guest: cell.cpu.guest };
  const tried = await Promise.all(
    list.map(async (policy) => {
      const choice = { ...all, policy };
      const done = await trials.run(
        [...settingsOfChoice(choice), ...problem.fixed],
        seedsFrom(seed, TIMED_RUNS),
      );
      return { choice, kept: done.filter((trial) => isKept(trial, target)).length };
    }),
  );
  return tried.sort((one, other) => other.kept - one.kept).map(({ choice }) => choice);
}

/** As many seeds as a pass over them may take time. */
async function sampleOf(
  problem: PlanProblem,
  choice: Choice,
  trials: Trials,
  seed: number,
): Promise<readonly number[]> {
  const most = Math.max(...problem.target.map(({ probability }) => probability));
  const wanted = Math.ceil(SAMPLE_MISSES / (1 - most));
  const settings = [...settingsOfChoice(choice), ...problem.fixed];
  const some = seedsFrom(seed, TIMED_RUNS);
  // The first ones load and compile what they need.
  await trials.run(settings, some);
  const began = performance.now();
  await trials.run(settings, some);
  const affordable = Math.floor((PASS_MS * TIMED_RUNS) / (performance.now() - began));
  return seedsFrom(seed, Math.max(SAMPLE_LEAST, Math.min(wanted, affordable)));
}

/**
 * One reservation after the other: b first where it decides about the total, then b_d, then the sender's. Then whatever can
 * be cut by a tenth is, as long as anything can.
 */
async function refined(
  problem: PlanProblem,
  refining: Refining,
  start: Choice,
  endsAtMs: number,
): Promise<Choice | null> {
  const paths = chosenPaths(problem, start);
  const order: readonly ReservedPath[] = clauseOf(problem.target, 'downtime')
    ? ['link.stopRate', 'sender.reservation', 'link.rate']
    : ['link.rate', 'sender.reservation'];
  const [first, ...others] = order.filter((path) => paths.includes(path));
  const begun = await inTime(problem, refining, start);
  let choice: Choice | null = first === undefined ? begun : await refining.least(begun, first);
  for (let pass = 0; choice && pass < 3 && performance.now() < endsAtMs; pass++) {
    let isTight = true;
    for (const path of others) {
      if (!(await refining.keeps(scaled(choice, path, 0.9)))) continue;
      isTight = false;
      choice = (await refining.least(choice, path)) ?? choice;
    }
    if (isTight) return choice;
  }
  return choice;
}

/** With so much more of b that the total is kept, which the model may have said too short. */
async function inTime(problem: PlanProblem, refining: Refining, start: Choice): Promise<Choice> {
  const total = clauseOf(problem.target, 'total');
  let choice = start;
  if (!total || problem.keep.has('link.rate')) return choice;
  while (choice.rate < problem.capacity && (await refining.missed(choice, undefined, [total])) > 0) {
    choice = { ...choice, rate: Math.min(problem.capacity, scaled(choice, 'link.rate', 1.015).rate) };
  }
  return choice;
}

/** A little more of everything, as far as there is more. */
function more(problem: PlanProblem, choice: Choice): Choice | null {
  const { capacity, senderMost } = problem;
  const raised = chosenPaths(problem, choice)
    .filter((path) => path !== 'guest.reservation')
    .reduce((one, path) => scaled(one, path, 1.015), choice);
  const bounded = {
    ...raised,
    rate: Math.min(raised.rate, capacity),
    stopRate: raised.stopRate && Math.min(raised.stopRate, capacity),
    sender:
      raised.sender && senderMost && raised.sender.budgetNs > senderMost.budgetNs
        ? senderMost
        : raised.sender,
  };
  return JSON.stringify(bounded) === JSON.stringify(choice) ? null : bounded;
}
