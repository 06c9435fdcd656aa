import type { TargetClause } from '../../scenario/target.ts';
import { leastShare, looksAt } from '../statistics/kept-share.ts';
import { type Choice, settingsOfChoice } from './choice.ts';
import type { PlanProblem } from './plan-problem.ts';
import type { Trial } from './plan-worker.ts';
import { isKept } from './sample.ts';
import type { Trials } from './trials.ts';

/** How sure it is that a plan keeps its target, in virtual time. */
export interface Certificate {
  readonly runs: number;
  /** So many of them kept all of the target. */
  readonly kept: number;
  /** The share that is kept is at least that, with this confidence. */
  readonly lowerBound: number;
  readonly confidence: number;
  /** The same of each part of the target, which has a probability of its own. */
  readonly clauses: readonly (TargetClause & Shown)[];
  /** The seeds of these runs, of which the search has used none. */
  readonly seeds: { readonly first: number; readonly count: number };
}

/** A clause was kept in so many of these runs. */
interface Shown {
  readonly runs: number;
  readonly kept: number;
  readonly lowerBound: number;
}

export const CONFIDENCE = 0.95;

/** What came of an attempt to certify a choice. */
export interface Attempt {
  /** null: it was not shown that the target is kept. */
  readonly certificate: Certificate | null;
  readonly seeds: readonly number[];
  readonly trials: readonly Trial[];
}

/**
 * Carries out migrations with fresh seeds until each clause is kept with its probability, by a lower bound that looks at the
 * sample several times (`looksAt`). All clauses and all attempts together are wrong with 5 % at most: attempt a spends
 * 2.5 %, 1.25 %, …
 * @param attempt from 0 on: how often another choice was not certified before
 * @param firstSeed from which on no seed was used before
 */
export async function certify(
  choice: Choice,
  { target, fixed }: Pick<PlanProblem, 'target' | 'fixed'>,
  trials: Trials,
  { attempt, firstSeed }: { readonly attempt: number; readonly firstSeed: number },
): Promise<Attempt> {
  const alpha = (1 - CONFIDENCE) / 2 ** (attempt + 1) / target.length;
  const settings = [...settingsOfChoice(choice), ...fixed];
  const done: Trial[] = [];
  const upTo = async (runs: number) => {
    if (runs > done.length)
      done.push(...(await trials.run(settings, seedsFrom(firstSeed + done.length, runs - done.length))));
  };
  const clauses: Certificate['clauses'][number][] = [];
  for (const clause of target) {
    const shown = await shownBy(clause, alpha, done, upTo);
    if (!shown) return { certificate: null, seeds: seedsFrom(firstSeed, done.length), trials: done };
    clauses.push({ ...clause, ...shown });
  }
  const runs = done.length;
  const kept = done.filter((trial) => isKept(trial, target)).length;
  // Boole's inequality: no more is missed than all clauses together.
  const lowerBound = Math.max(0, 1 - clauses.reduce((sum, clause) => sum + 1 - clause.lowerBound, 0));
  const seeds = { first: firstSeed, count: runs };
  const certificate = { runs, kept, lowerBound, confidence: CONFIDENCE, clauses, seeds };
  return { certificate, seeds: seedsFrom(firstSeed, runs), trials: done };
}

/** @returns null: too many are missed */
async function shownBy(
  clause: TargetClause,
  alpha: number,
  done: readonly Trial[],
  upTo: (runs: number) => Promise<void>,
): Promise<Shown | null> {
  for (const look of looksAt(clause.probability, alpha)) {
    await upTo(look.runs);
    const { runs } = look;
    const kept = done.slice(0, runs).filter((trial) => isKept(trial, [clause])).length;
    const missed = runs - kept;
    if (missed <= look.missed) return { runs, kept, lowerBound: leastShare(kept, runs, look.alpha) };
    if (isHopeless(missed, runs, clause)) return null;
  }
  return null;
}

/** Half as many as the target allows, and a few more: a little more reserved is quicker than to show that it is just enough. */
function isHopeless(
  missed: number,
  runs: number,
  { probability }: Pick<TargetClause, 'probability'>,
): boolean {
  return missed > 0.5 * (1 - probability) * runs + 3;
}

export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
