import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import { combinationsOf, type Setting } from '../../scenario/settings.ts';
import {
  type Choice,
  type ReservedPath,
  rateText,
  readableRate,
  scaled,
  settingsOfChoice,
} from './choice.ts';
import { costOf } from './cost.ts';
import { Enough } from './enough.ts';
import { type Narrowed, Narrowing, paretoFront } from './narrow.ts';
import { chosenPaths, clauseOf, type PlanProblem } from './plan-problem.ts';
import type { Trial } from './plan-worker.ts';
import { type Certificate, certify, seedsFrom } from './promise-certificate.ts';
import { isSame, withinReach } from './reach.ts';
import { Refining } from './refine.ts';
import { isKept, Sample } from './sample.ts';
import type { Trials } from './trials.ts';

/** A choice that was certified. */
export interface Found {
  readonly choice: Choice;
  readonly certificate: Certificate;
  readonly trials: readonly Trial[];
  /** So many migrations the search tried each choice on. */
  readonly sample: number;
  /** It ended because its time was up: less may be enough. */
  readonly isUnfinished: boolean;
  readonly front: readonly Narrowed[];
}

/** Why nothing was certified: which choice came closest, by how much of a sample it kept. */
export interface NotFound {
  readonly closest: { readonly choice: Choice; readonly runs: number; readonly kept: number } | null;
  readonly isUnfinished: boolean;
  /** By the model, with so much the target would be kept; null: it knows of nothing up to eight times as much as there is. */
  readonly neededCapacity: BytesPerSecond | null;
}

/** In a sample a target allows four misses, and a cut is seen; it is halved until one pass over it takes no more than that. */
const SAMPLE = { misses: 4, most: 200, least: 50, passCpuNs: 20e9 };
/** So many choices are made as small as can be, so many of the policies are tried where the model knows none, and so much is certified. */
const REFINED_MAX = 2;
const TRIED_MAX = 12;
const ATTEMPTS_MAX = 4;
const PASSES_MAX = 4;
/** Of processors, by the clocks of the threads: a machine that is busy with something else changes nothing. Then what was found is enough. */
export const SEARCH_CPU_NS: Nanos = 90e9;
const FEW_RUNS = 8;
/** What virtual time finds costs a little more than the model says: who is to save less than that is not tried. */
const SAVED = 0.97;
/** The seeds of certificates lie so far from those of the search, and from each other. */
const FRESH_SEEDS = 1_000_000_000;

/** The model narrows, virtual time decides, and fresh seeds certify. */
export async function search(problem: PlanProblem, trials: Trials, seed: number): Promise<Found | NotFound> {
  const narrowed = await new Narrowing(problem, trials).run();
  const endsAtCpuNs = trials.cpuNs + SEARCH_CPU_NS;
  const isSpent = () => trials.cpuNs >= endsAtCpuNs;
  let closest: NotFound['closest'] = null;
  let attempt = 0;
  for await (const { choice: refined, sample } of refinements(problem, trials, narrowed, seed, isSpent)) {
    let choice: Choice | null = refined;
    while (choice && attempt < ATTEMPTS_MAX) {
      const firstSeed = seed + FRESH_SEEDS * (attempt + 1);
      const isUnfinished = isSpent();
      const { certificate, trials: done } = await certify(choice, problem, trials, { attempt, firstSeed });
      if (certificate)
        return { choice, certificate, trials: done, sample, isUnfinished, front: paretoFront(narrowed) };
      attempt += 1;
      closest = {
        choice,
        runs: done.length,
        kept: done.filter((trial) => isKept(trial, problem.target)).length,
      };
      choice = more(problem, choice, done);
    }
    if (attempt >= ATTEMPTS_MAX || isSpent()) break;
  }
  return { closest, isUnfinished: isSpent(), neededCapacity: await withMore(problem, trials) };
}

interface Refined {
  readonly choice: Choice;
  readonly cost: number;
  readonly sample: number;
}

/**
 * Choices with as little as virtual time allows, the cheapest first: of the policies that the model finds cheapest, as long as the
 * next might come to less than what was found. Where none of them will do, or the model knows none, of all policies.
 */
async function* refinements(
  problem: PlanProblem,
  trials: Trials,
  narrowed: readonly Narrowed[],
  seed: number,
  isSpent: () => boolean,
): AsyncGenerator<Refined> {
  const refine = async (start: Choice): Promise<Refined | null> => {
    const sample = new Sample(problem, trials, await seedsOf(problem, start, trials, seed));
    const enough = await new Enough(problem, sample, isSpent).of(start);
    const choice = enough && (await leastAround(problem, new Refining(problem, sample, isSpent), enough));
    return choice && { choice, cost: costOf(choice, problem.cost, problem.capacity), sample: sample.size };
  };
  const found: Refined[] = [];
  for (const { choice, cost } of distinct(narrowed)) {
    const isWorse = found.some((one) => one.cost * SAVED <= cost) || found.length >= REFINED_MAX;
    if (isWorse || (found.length > 0 && isSpent())) break;
    const refined = await refine(choice);
    if (refined) found.push(refined);
  }
  yield* found.sort((one, other) => one.cost - other.cost);
  if (isSpent()) return;
  for (const start of (await byTrial(problem, trials, seed)).slice(0, TRIED_MAX)) {
    const refined = await refine(start);
    if (refined) yield refined;
    if (isSpent()) return;
  }
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
function distinct(narrowed: readonly Narrowed[]): readonly Narrowed[] {
  const best = new Map<string, Narrowed>();
  for (const one of narrowed) {
    const key = JSON.stringify(one.choice.policy);
    if (!best.has(key)) best.set(key, one);
  }
  return [...best.values()];
}

/** Without the model: with all that there is, the policies that miss the least of a few migrations. */
async function byTrial(problem: PlanProblem, trials: Trials, seed: number): Promise<readonly Choice[]> {
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
        seedsFrom(seed, FEW_RUNS),
      );
      return { choice, kept: done.filter((trial) => isKept(trial, target)).length };
    }),
  );
  return tried.sort((one, other) => other.kept - one.kept).map(({ choice }) => choice);
}

/** Half as many seeds, and half of these, until a pass over them takes no more CPU time than it may: so nearly always the same. */
async function seedsOf(
  problem: PlanProblem,
  choice: Choice,
  trials: Trials,
  seed: number,
): Promise<readonly number[]> {
  const most = Math.max(...problem.target.map(({ probability }) => probability));
  let size = Math.max(SAMPLE.most, Math.ceil(SAMPLE.misses / (1 - most)));
  const settings = [...settingsOfChoice(choice), ...problem.fixed];
  const some = seedsFrom(seed, FEW_RUNS);
  // The first ones load and compile what they need.
  await trials.run(settings, some);
  const beganNs = trials.cpuNs;
  await trials.run(settings, some);
  const oneNs = (trials.cpuNs - beganNs) / FEW_RUNS;
  while (size > SAMPLE.least && size * oneNs > SAMPLE.passCpuNs) size = Math.ceil(size / 2);
  return seedsFrom(seed, size);
}

/** One reservation after the other, and again whichever can be cut by a tenth. */
async function leastAround(problem: PlanProblem, refining: Refining, enough: Choice): Promise<Choice> {
  let choice = enough;
  const order: readonly ReservedPath[] = ['link.stopRate', 'sender.reservation', 'link.rate'];
  const chosen = chosenPaths(problem, choice);
  const paths = order.filter((path) => chosen.includes(path));
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const before: Choice = choice;
    for (const path of paths) {
      if (pass === 0 || !(await refining.isTight(choice, path))) choice = await refining.least(choice, path);
    }
    if (isSame(choice, before)) break;
  }
  return choice;
}

/**
 * A little more of what would have kept the target, as far as there is more. With a larger b a rule of QEMU's leaves more, so that a
 * downtime that was too long asks for more of all but b, unless that is all there is.
 * @param done what the choice came to
 */
function more(problem: PlanProblem, choice: Choice, done: readonly Trial[]): Choice | null {
  const others = problem.target.filter(({ metric }) => metric !== 'downtime');
  const isLate = done.some((trial) => trial === null || !isKept(trial, others));
  const all = chosenPaths(problem, choice).filter((path) => path !== 'guest.reservation');
  const ofStop = all.filter((path) => path !== 'link.rate');
  return (isLate ? null : raised(problem, choice, ofStop)) ?? raised(problem, choice, all);
}

/** @returns null: there is no more of it */
function raised(problem: PlanProblem, choice: Choice, paths: readonly ReservedPath[]): Choice | null {
  const most = paths.reduce((one, path) => scaled(one, path, 1.015), choice);
  const bounded = withinReach(problem, most);
  return isSame(bounded, choice) ? null : bounded;
}
