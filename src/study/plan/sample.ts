import type { Target } from '../../scenario/target.ts';
import { type Choice, settingsOfChoice } from './choice.ts';
import type { PlanProblem } from './plan-problem.ts';
import type { Trial } from './plan-worker.ts';
import type { Trials } from './trials.ts';

/** How far a migration was from each clause of a target: above 1 it missed it, ∞: it did not complete. */
export type Margins = readonly number[];

export function marginsOf(trial: Trial, target: Target): Margins {
  return target.map(({ metric, limitNs }) => {
    if (!trial) return Number.POSITIVE_INFINITY;
    return (metric === 'downtime' ? trial.downtimeNs : trial.totalNs) / limitNs;
  });
}

export function isKept(trial: Trial, target: Target): boolean {
  return marginsOf(trial, target).every((margin) => margin <= 1);
}

/** How many miss each clause. */
export function missesOf(margins: readonly Margins[], target: Target): readonly number[] {
  return target.map((_, clause) => margins.filter((of) => of[clause]! > 1).length);
}

/** What one choice after the other is tried on: migrations with the same seeds, so that only the choice differs. */
export class Sample {
  readonly size: number;
  readonly #problem: PlanProblem;
  readonly #trials: Trials;
  readonly #seeds: readonly number[];
  /** Of the whole sample, by what was chosen. */
  readonly #known = new Map<string, Promise<readonly Margins[]>>();

  constructor(problem: PlanProblem, trials: Trials, seeds: readonly number[]) {
    this.#problem = problem;
    this.#trials = trials;
    this.#seeds = seeds;
    this.size = seeds.length;
  }

  /** Of the whole sample. */
  margins(choice: Choice): Promise<readonly Margins[]> {
    const key = JSON.stringify(settingsOfChoice(choice));
    let known = this.#known.get(key);
    if (!known) {
      known = this.marginsOf(choice, [...this.#seeds.keys()]);
      this.#known.set(key, known);
    }
    return known;
  }

  /** Of some of it. @param indices which */
  async marginsOf(choice: Choice, indices: readonly number[]): Promise<readonly Margins[]> {
    const settings = [...settingsOfChoice(choice), ...this.#problem.fixed];
    const trials = await this.#trials.run(
      settings,
      indices.map((index) => this.#seeds[index]!),
    );
    return trials.map((trial) => marginsOf(trial, this.#problem.target));
  }
}
