import type { Setting } from '../../scenario/settings.ts';
import { type Choice, readableRate, settingsOfChoice, withBudget } from './choice.ts';
import { costOf } from './cost.ts';
import { clauseOf, type PlanProblem } from './plan-problem.ts';
import { leastStopRate } from './reach.ts';
import type { Trials } from './trials.ts';

/** A choice that keeps the target by the model. */
export interface Narrowed {
  readonly choice: Choice;
  readonly cost: number;
  readonly totalNs: number;
}

/** Parts of the link, and of the most that a sender can have. */
const PARTS = [1, 0.75, 0.55, 0.4, 0.3, 0.22, 0.15, 0.1, 0.07, 0.05, 0.035];
const FINER = [1.2, 1.1, 0.91, 0.83];
/** After so many answers of the model nothing further is asked, nor after so much CPU time: virtual time decides anyway. */
const ENOUGH = { answers: 160, cpuNs: 40e9 };
/** Of what a target allows to be missed, so much is left to what the model does not know. */
const PART_OF_MISSES = 0.2;

/**
 * The model narrows: what costs least, by coordinate descent over b, the sender's budget and each axis of the policy, with the
 * least b_d that the model finds for each. All that keeps the target, the cheapest first.
 */
export class Narrowing {
  readonly #problem: PlanProblem;
  readonly #trials: Trials;
  readonly #found = new Map<string, Promise<Narrowed | null>>();
  #endsAtCpuNs = 0;

  constructor(problem: PlanProblem, trials: Trials) {
    this.#problem = problem;
    this.#trials = trials;
  }

  async run(): Promise<readonly Narrowed[]> {
    const { policies } = this.#problem;
    this.#endsAtCpuNs = this.#trials.cpuNs + ENOUGH.cpuNs;
    if (policies.kind === 'list') {
      for (const policy of policies.list) await this.#least(this.#choice(policy), PARTS);
    } else {
      await this.#descend(policies.axes);
    }
    const all = await Promise.all(this.#found.values());
    return all.filter((one) => one !== null).sort((one, other) => one.cost - other.cost);
  }

  get #isEnough(): boolean {
    return this.#found.size >= ENOUGH.answers || this.#trials.cpuNs >= this.#endsAtCpuNs;
  }

  #choice(policy: readonly Setting[]): Choice {
    const { capacity, senderMost, cell, keep } = this.#problem;
    const { rateBytesPerSecond } = cell.plan;
    return {
      policy,
      rate: keep.has('link.rate') ? rateBytesPerSecond! : capacity,
      stopRate: capacity,
      sender: senderMost,
      guest: cell.cpu.guest,
    };
  }

  /** One axis after the other, each at the best of the others, and twice, because they depend on each other. */
  async #descend(axes: readonly (readonly Setting[])[]): Promise<void> {
    let policy = axes.map((values) => values[0]!);
    let best = await this.#least(this.#choice(policy), PARTS);
    for (let pass = 0; pass < 2; pass++) {
      for (const [axis, values] of axes.entries()) {
        if (best && this.#isEnough) return;
        const policies = values.map((value) => policy.with(axis, value));
        const from = best?.choice ?? this.#choice(policy);
        const least = await this.#best(policies.map((one) => ({ ...from, policy: one })));
        // Where none keeps it at this b, all of the link is what one of them may need.
        const found = least ? await this.#least(least.choice, FINER) : await this.#any(policies);
        best = cheapest([best, found]);
        if (best) policy = [...best.choice.policy];
      }
    }
  }

  async #any(policies: readonly (readonly Setting[])[]): Promise<Narrowed | null> {
    const best = await this.#best(policies.map((policy) => this.#choice(policy)));
    return best && this.#least(best.choice, PARTS);
  }

  /** The least over b and the sender's budget, of this policy. @param parts of the link, or of what it has of it */
  async #least(from: Choice, parts: readonly number[]): Promise<Narrowed | null> {
    const { capacity, senderMost, keep } = this.#problem;
    let best = await this.#best(this.#byRate(from, parts, parts === PARTS ? capacity : from.rate));
    if (senderMost !== null && !keep.has('sender.reservation')) {
      const choice = best?.choice ?? from;
      const whole = parts === PARTS ? senderMost.budgetNs : choice.sender!.budgetNs;
      best = cheapest([best, await this.#best(this.#bySender(choice, parts, whole))]);
      if (best) best = cheapest([best, await this.#best(this.#byRate(best.choice, PARTS, capacity))]);
    }
    while (best && !this.#isEnough) {
      const finer = await this.#best([
        ...this.#byRate(best.choice, FINER, best.choice.rate),
        ...this.#bySender(best.choice, FINER, best.choice.sender?.budgetNs ?? 0),
      ]);
      if (!finer || finer.cost >= 0.99 * best.cost) return cheapest([best, finer]);
      best = finer;
    }
    return best;
  }

  #byRate(choice: Choice, parts: readonly number[], whole: number): readonly Choice[] {
    const { capacity, keep } = this.#problem;
    if (keep.has('link.rate')) return [choice];
    return parts.map((part) => ({ ...choice, rate: Math.min(capacity, readableRate(whole * part)) }));
  }

  #bySender(choice: Choice, parts: readonly number[], wholeNs: number): readonly Choice[] {
    const { senderMost, keep } = this.#problem;
    if (senderMost === null || keep.has('sender.reservation')) return [];
    return parts.map((part) => {
      const sender = withBudget(senderMost, wholeNs * part);
      return { ...choice, sender: sender.budgetNs > senderMost.budgetNs ? senderMost : sender };
    });
  }

  async #best(choices: readonly Choice[]): Promise<Narrowed | null> {
    return cheapest(await Promise.all(choices.map((choice) => this.#at(choice))));
  }

  #at(choice: Choice): Promise<Narrowed | null> {
    const { fixed, capacity } = this.#problem;
    const settings = [...settingsOfChoice({ ...choice, stopRate: capacity }), ...fixed];
    const key = JSON.stringify(settings);
    let found = this.#found.get(key);
    if (!found) {
      found = this.#ask(choice, settings);
      this.#found.set(key, found);
    }
    return found;
  }

  async #ask(choice: Choice, settings: readonly Setting[]): Promise<Narrowed | null> {
    const { target, capacity, cost, keep, cell } = this.#problem;
    const downtime = clauseOf(target, 'downtime');
    const total = clauseOf(target, 'total');
    const asked = {
      limitNs: downtime?.limitNs ?? total!.limitNs,
      probability: 1 - PART_OF_MISSES * (1 - (downtime ?? total)!.probability),
    };
    const { stopRate: least, liveNs } = await this.#trials.model(settings, asked);
    if (least === null || liveNs === null) return null;
    // The model may expect that no page is left.
    const atLeast = leastStopRate(this.#problem);
    const needed = atLeast === null ? null : readableRate(Math.max(least, atLeast));
    const stopRate = keep.has('link.stopRate') ? cell.plan.stopRateBytesPerSecond! : needed;
    if ((stopRate ?? 0) > capacity || (stopRate ?? 0) < (needed ?? 0)) return null;
    const totalNs = liveNs + (downtime?.limitNs ?? 0);
    if (total && totalNs > total.limitNs) return null;
    const chosen = { ...choice, stopRate };
    return { choice: chosen, totalNs, cost: costOf(chosen, cost, capacity) };
  }
}

function cheapest(all: readonly (Narrowed | null)[]): Narrowed | null {
  return all.reduce((best, one) => (one && (!best || one.cost < best.cost) ? one : best), null);
}

/** Those of which none needs less of everything, by b. */
export function paretoFront(all: readonly Narrowed[]): readonly Narrowed[] {
  const amounts = ({ choice }: Narrowed) => [
    choice.rate,
    choice.stopRate ?? choice.rate,
    choice.sender?.budgetNs ?? 0,
    choice.guest?.budgetNs ?? 0,
  ];
  const isBetter = (one: Narrowed, other: Narrowed) => {
    const [mine, theirs] = [amounts(one), amounts(other)];
    const isNoMore = mine.every((amount, index) => amount <= theirs[index]!);
    return isNoMore && mine.some((amount, index) => amount < theirs[index]!);
  };
  const front = all.filter((one) => !all.some((other) => isBetter(other, one)));
  const first = new Map(front.map((one) => [JSON.stringify(amounts(one)), one]));
  return [...first.values()].sort((one, other) => one.choice.rate - other.choice.rate);
}
