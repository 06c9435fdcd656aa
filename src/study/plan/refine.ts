import { type Choice, type ReservedPath, scaled } from './choice.ts';
import type { PlanProblem } from './plan-problem.ts';
import { isSame, leastPart, withinReach } from './reach.ts';
import { countsOf, safeAmount } from './safe-amount.ts';
import { type Margins, missesOf, type Sample } from './sample.ts';

/** So close a reservation is determined: amounts are powers of it. */
const STEP = 1.008;
/** Down to a fiftieth. */
const STEPS_MAX = 490;
/** Beside the migrations that decide, so many that come next to the limit are asked. */
const BESIDE = 12;
/** So often others than those that were asked turn out to decide. */
const ROUNDS_MAX = 3;

/** Virtual time decides: the least reservations around a choice with which a sample keeps the target. */
export class Refining {
  readonly #problem: PlanProblem;
  readonly #sample: Sample;
  /** Time is up: what was found so far is enough. */
  readonly #isSpent: () => boolean;

  constructor(problem: PlanProblem, sample: Sample, isSpent: () => boolean) {
    this.#problem = problem;
    this.#sample = sample;
    this.#isSpent = isSpent;
  }

  /** A choice with the least of this reservation that keeps the target, and as much more as makes that safe. */
  async least(choice: Choice, path: ReservedPath): Promise<Choice> {
    const asked = new Set<number>();
    let margins = await this.#sample.margins(choice);
    const already = missesOf(margins, this.#problem.target);
    let least = choice;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const unasked = (indices: readonly number[]) => indices.filter((index) => !asked.has(index));
      if (round > 0 && unasked(this.#missing(margins)).length === 0) return least;
      for (const index of this.#closest(margins)) asked.add(index);
      const factor = await this.#safe(choice, path, [...asked], already);
      least = withinReach(this.#problem, scaled(choice, path, factor));
      margins = await this.#sample.margins(least);
    }
    return least;
  }

  /** Whether a tenth less of it is seen to miss the target. */
  async isTight(choice: Choice, path: ReservedPath): Promise<boolean> {
    const less = withinReach(this.#problem, scaled(choice, path, 0.9));
    if (isSame(less, choice)) return true;
    const misses = missesOf(await this.#sample.margins(less), this.#problem.target);
    return misses.some((missed, clause) => missed >= this.#counts(clause).many);
  }

  #counts(clause: number) {
    return countsOf(this.#problem.target[clause]!.probability, this.#sample.size);
  }

  /** Those that miss anything. */
  #missing(margins: readonly Margins[]): readonly number[] {
    return [...margins.keys()].filter((index) => margins[index]!.some((margin) => margin > 1));
  }

  /** Those that come closest to the limit of each clause. */
  #closest(margins: readonly Margins[]): readonly number[] {
    return this.#problem.target.flatMap((_, clause) =>
      [...margins.keys()]
        .sort((one, other) => margins[other]![clause]! - margins[one]![clause]!)
        .slice(0, this.#counts(clause).many + BESIDE),
    );
  }

  /** As a factor of what the choice has: what the clause that needs most of it needs. */
  async #safe(
    choice: Choice,
    path: ReservedPath,
    asked: readonly number[],
    already: readonly number[],
  ): Promise<number> {
    const { target } = this.#problem;
    const known = new Map<number, Promise<readonly number[]>>();
    const missesAt = (step: number) => {
      const found = known.get(step) ?? this.#missesAt(scaled(choice, path, STEP ** -step), asked);
      known.set(step, found);
      return found;
    };
    const isMissed = (misses: readonly number[]) =>
      misses.some((missed, clause) => missed > Math.max(this.#counts(clause).many, already[clause]!));
    const tooLittle = await this.#tooLittle(async (step) => isMissed(await missesAt(step)));
    const least = await missesAt(tooLittle);
    let safe = 0;
    for (const [clause, { probability }] of target.entries()) {
      // Another clause has decided before this one missed anything.
      if (least[clause]! <= already[clause]!) continue;
      const { few, many } = this.#counts(clause);
      const edge = async (count: number) => {
        const missed = Math.max(count, already[clause]!);
        const isEnough = async (step: number) => (await missesAt(step))[clause]! <= missed;
        return { missed, amount: await this.#edge(isEnough, tooLittle) };
      };
      const edges = { many: await edge(many), few: await edge(few), fewest: await edge(0) };
      safe = Math.max(safe, safeAmount({ ...edges, sample: this.#sample.size }, probability));
    }
    return Math.max(safe, STEP ** -tooLittle, leastPart(this.#problem, choice, path));
  }

  async #missesAt(choice: Choice, asked: readonly number[]): Promise<readonly number[]> {
    return missesOf(await this.#sample.marginsOf(choice, asked), this.#problem.target);
  }

  /** The first of ever larger steps down at which the target is missed; or as far down as there is any sense in. */
  async #tooLittle(isMissed: (step: number) => Promise<boolean>): Promise<number> {
    let step = 12;
    while (step < STEPS_MAX && !(await isMissed(step))) step *= 2;
    return step;
  }

  /** The least factor that is enough, if the whole is. */
  async #edge(isEnough: (step: number) => Promise<boolean>, most: number): Promise<number> {
    let [enough, tooLittle] = [0, most];
    if (await isEnough(most)) return STEP ** -most;
    while (tooLittle - enough > 1 && !this.#isSpent()) {
      const middle = Math.floor((enough + tooLittle) / 2);
      if (await isEnough(middle)) enough = middle;
      else tooLittle = middle;
    }
    return STEP ** -enough;
  }
}
