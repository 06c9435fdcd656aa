import { type Choice, type ReservedPath, scaled } from './choice.ts';
import { costOf } from './cost.ts';
import { chosenPaths, type PlanProblem } from './plan-problem.ts';
import { isSame, withinReach } from './reach.ts';
import { countsOf } from './safe-amount.ts';
import { type Margins, missesOf, type Sample } from './sample.ts';

/** So many migrations tell what is short: the first ones of a sample, or if they miss too little, those of all that miss most. */
const PIECE = 32;
/** So often it turns out that others tell it. */
const ROUNDS_MAX = 4;
/** What is too little is raised by that, then by twice as much: a dozen steps come to fifty times as much. */
const RAISED_FIRST = 0.02;
const STEPS_MAX = 12;
/** In this order they are raised where all others are given all that there is. b costs most, and the more of it, the more is left to a stop. */
const raisable: readonly ReservedPath[] = ['link.rate', 'sender.reservation', 'link.stopRate'];

/** More of what is short, until a sample keeps the target. */
export class Enough {
  readonly #problem: PlanProblem;
  readonly #sample: Sample;
  readonly #isSpent: () => boolean;

  /** @param isSpent time is up: what is not enough by then is given up */
  constructor(problem: PlanProblem, sample: Sample, isSpent: () => boolean) {
    this.#problem = problem;
    this.#sample = sample;
    this.#isSpent = isSpent;
  }

  /** @returns null: no more of anything is found to help */
  async of(start: Choice): Promise<Choice | null> {
    const asked = new Set<number>();
    let choice = start;
    for (let round = 0; ; round++) {
      const missing = await this.#missing(choice);
      if (missing.length === 0) return choice;
      if (round === ROUNDS_MAX || this.#isSpent()) return null;
      for (const index of missing) asked.add(index);
      const next = (await this.#byOne(choice, [...asked])) ?? (await this.#besideAll(choice, [...asked]));
      if (!next) return null;
      choice = next;
    }
  }

  /** Some migrations that show that it is not enough; none: it is. */
  async #missing(choice: Choice): Promise<readonly number[]> {
    const first = [...Array(Math.min(PIECE, this.#sample.size)).keys()];
    if (!this.#isEnough(await this.#sample.marginsOf(choice, first))) return first;
    const margins = await this.#sample.margins(choice);
    if (this.#isEnough(margins)) return [];
    const most = margins.map((of) => Math.max(...of));
    return [...margins.keys()].sort((one, other) => most[other]! - most[one]!).slice(0, PIECE);
  }

  /** More of a single reservation: of those that are enough so, the one that costs least. */
  async #byOne(choice: Choice, asked: readonly number[]): Promise<Choice | null> {
    const { capacity, cost } = this.#problem;
    let best: Choice | null = null;
    for (const path of this.#paths(choice)) {
      const one = await this.#raisedUntilEnough(choice, path, asked);
      if (one && (!best || costOf(one, cost, capacity) < costOf(best, cost, capacity))) best = one;
    }
    return best;
  }

  /** As little as is enough of one, with all that there is of the others. The least of these is found later anyway. */
  async #besideAll(choice: Choice, asked: readonly number[]): Promise<Choice | null> {
    const paths = this.#paths(choice);
    for (const path of paths) {
      const others = paths.filter((other) => other !== path);
      const all = others.reduce((one, other) => this.#raised(one, other, Number.MAX_SAFE_INTEGER), choice);
      if (await this.#keeps(all, asked)) return all;
      const one = await this.#raisedUntilEnough(all, path, asked);
      if (one) return one;
    }
    return null;
  }

  async #raisedUntilEnough(
    choice: Choice,
    path: ReservedPath,
    asked: readonly number[],
  ): Promise<Choice | null> {
    let last = choice;
    for (let step = 0; step < STEPS_MAX && !this.#isSpent(); step++) {
      const next = this.#raised(choice, path, 1 + RAISED_FIRST * 2 ** step);
      if (isSame(next, last)) return null;
      if (await this.#keeps(next, asked)) return next;
      last = next;
    }
    return null;
  }

  #paths(choice: Choice): readonly ReservedPath[] {
    const chosen = chosenPaths(this.#problem, choice);
    return raisable.filter((path) => chosen.includes(path));
  }

  #raised(choice: Choice, path: ReservedPath, factor: number): Choice {
    return withinReach(this.#problem, scaled(choice, path, factor));
  }

  async #keeps(choice: Choice, asked: readonly number[]): Promise<boolean> {
    return this.#isEnough(await this.#sample.marginsOf(choice, asked));
  }

  #isEnough(margins: readonly Margins[]): boolean {
    const { target } = this.#problem;
    const few = (clause: number) => countsOf(target[clause]!.probability, this.#sample.size).few;
    return missesOf(margins, target).every((missed, clause) => missed <= few(clause));
  }
}
