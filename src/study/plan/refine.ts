import type { Target } from '../../scenario/target.ts';
import { type Choice, type ReservedPath, scaled, settingsOfChoice } from './choice.ts';
import type { PlanProblem } from './plan-problem.ts';
import type { Trial } from './plan-worker.ts';
import { type Edges, safeAmount } from './safe-amount.ts';
import type { Trials } from './trials.ts';

/** How far a migration was from a target: above 1 it missed it, ∞: it did not complete. */
export function marginOf(trial: Trial, target: Target): number {
  if (!trial) return Number.POSITIVE_INFINITY;
  const parts = target.map(
    ({ metric, limitNs }) => (metric === 'downtime' ? trial.downtimeNs : trial.totalNs) / limitNs,
  );
  return Math.max(...parts);
}

/** So close a reservation is determined. */
const RESOLUTION = 1.008;
/** Migrations that come closest to the limit decide; they are taken to be the same ones at nearby amounts. */
const CRITICAL = 16;
/** After so many it is seen whether the rest need be asked. */
const PIECE = 32;
/** A few of the sample, where the target allows fewer to be missed than can be seen in it. */
const FEW = 1 / 16;

/** Virtual time decides: the least reservations around a choice with which a sample keeps the target. */
export class Refining {
  readonly #problem: PlanProblem;
  readonly #trials: Trials;
  readonly #seeds: readonly number[];

  constructor(problem: PlanProblem, trials: Trials, seeds: readonly number[]) {
    this.#problem = problem;
    this.#trials = trials;
    this.#seeds = seeds;
  }

  get size(): number {
    return this.#seeds.length;
  }

  /** So many of the sample may be missed. */
  get allowed(): number {
    return Math.floor((1 - this.#probability) * this.#seeds.length);
  }

  get #probability(): number {
    return Math.max(...this.#problem.target.map(({ probability }) => probability));
  }

  /**
   * A choice with the least of this reservation that keeps the target, and as much more as makes that safe.
   * @returns null: not even all that there is of it is enough
   */
  async least(choice: Choice, path: ReservedPath): Promise<Choice | null> {
    const begun = await this.#enough(choice, path);
    if (!begun) return null;
    const edges = await this.#edges(begun.choice, path, begun.margins);
    return this.#bounded(scaled(begun.choice, path, safeAmount(edges, this.#probability)));
  }

  /** Whether no more of the sample is missed than the target allows. */
  async keeps(choice: Choice): Promise<boolean> {
    let missed = 0;
    for (let from = 0; from < this.#seeds.length && missed <= this.allowed; from += PIECE) {
      missed += await this.missed(choice, this.#seeds.slice(from, from + PIECE));
    }
    return missed <= this.allowed;
  }

  /** How many of the sample are missed. */
  async missed(choice: Choice, seeds = this.#seeds, target = this.#problem.target): Promise<number> {
    return (await this.#margins(choice, seeds, target)).filter((margin) => margin > 1).length;
  }

  /** Enough of it for the whole sample: more and more until it is, but no more than there is. */
  async #enough(choice: Choice, path: ReservedPath) {
    for (let tried = choice, factor = 1.1; ; factor *= 1.15) {
      const margins = await this.#margins(tried);
      if (margins.every((margin) => margin <= 1)) return { choice: tried, margins };
      const next = this.#bounded(scaled(choice, path, factor));
      if (JSON.stringify(next) === JSON.stringify(tried)) {
        const missed = margins.filter((margin) => margin > 1).length;
        return missed <= this.allowed / 3 ? { choice: tried, margins } : null;
      }
      tried = next;
    }
  }

  /** As factors of what the choice has. */
  async #edges(choice: Choice, path: ReservedPath, margins: readonly number[]): Promise<Edges> {
    const sample = this.#seeds.length;
    const missed = Math.max(this.allowed, Math.ceil(FEW * sample));
    const order = [...margins.keys()].sort((one, other) => margins[other]! - margins[one]!);
    const critical = order.slice(0, CRITICAL + 2 * missed).map((index) => this.#seeds[index]!);
    const already = margins.filter((margin) => margin > 1).length;
    const none = await this.#edge(choice, path, critical, already);
    const few = await this.#edge(choice, path, critical, Math.max(already, missed));
    return { none, few, missed: Math.max(already, missed), sample };
  }

  /** The least factor with which no more than so many of these are missed. */
  async #edge(
    choice: Choice,
    path: ReservedPath,
    seeds: readonly number[],
    allowed: number,
  ): Promise<number> {
    const isEnough = (factor: number) => this.#isEnough(scaled(choice, path, factor), seeds, allowed);
    let enough = 1;
    let tooLittle = 0.9;
    while (tooLittle > 0.02 && (await isEnough(tooLittle))) {
      enough = tooLittle;
      tooLittle *= 0.8;
    }
    while (enough / tooLittle > RESOLUTION) {
      const middle = Math.sqrt(enough * tooLittle);
      if (await isEnough(middle)) enough = middle;
      else tooLittle = middle;
    }
    return enough;
  }

  /** Those that come closest to the limit are the first: if enough of them miss it, nobody need ask the others. */
  async #isEnough(choice: Choice, seeds: readonly number[], allowed: number): Promise<boolean> {
    const first = allowed + 4;
    const missed = await this.missed(choice, seeds.slice(0, first));
    if (missed > allowed || seeds.length <= first) return missed <= allowed;
    return missed + (await this.missed(choice, seeds.slice(first))) <= allowed;
  }

  #bounded(choice: Choice): Choice {
    const { capacity, senderMost } = this.#problem;
    const { sender } = choice;
    return {
      ...choice,
      rate: Math.min(choice.rate, capacity),
      stopRate: choice.stopRate && Math.min(choice.stopRate, capacity),
      sender: sender && senderMost && sender.budgetNs > senderMost.budgetNs ? senderMost : sender,
    };
  }

  async #margins(
    choice: Choice,
    seeds = this.#seeds,
    target = this.#problem.target,
  ): Promise<readonly number[]> {
    const settings = [...settingsOfChoice(choice), ...this.#problem.fixed];
    const trials = await this.#trials.run(settings, seeds);
    return trials.map((trial) => marginOf(trial, target));
  }
}
