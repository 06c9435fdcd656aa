import { Random } from '../core/random.ts';
import type { DirtyPages } from './memory.ts';

/** What can end a migration whose rounds are alike but for chance. */
export interface ByChance {
  /** In which of the rounds to come that has happened more likely than not; Infinity: in none. */
  readonly round: number;
  /** How many pages are dirty then, or that a round had no page to send. */
  readonly found: number | 'nothing to send';
}

/**
 * Rounds that are alike but for chance. What an expectation never does, one of many rounds does: it ends with fewer pages dirty
 * than a rule waits for, or nothing but deferred pages is dirty at its end. Rounds begin with nearly all pages sent, so what each
 * leaves is taken to be independent of the one before: with probability h a round, that has happened within k rounds with
 * probability 1 − (1 − h)^k, and more likely than not from k = ln ½ / ln(1 − h) on.
 */
export class SettledRounds {
  readonly #dirty: DirtyPages;
  readonly #nothingToSend: number;
  readonly #random = Random.seeded(1);
  /** The probability that nothing has ended the migration so far. */
  #survival = 1;

  /** @param nothingToSend the probability that a round has no page to send */
  constructor(dirty: DirtyPages, nothingToSend: number) {
    this.#dirty = dirty;
    this.#nothingToSend = nothingToSend;
  }

  /** The probability that something has ended the migration in the rounds that were asked about so far. */
  get endedProbability(): number {
    return 1 - this.#survival;
  }

  /** By how many pages more than expected are dirty, now and then: a rule that compares what it sees is shown that. */
  sway(): number {
    return this.#dirty.quantile(this.#random.uniform()) - this.#dirty.mean;
  }

  /** The same within a round: of the page that leaves next, the link has carried some part. */
  swayWithin(): number {
    return this.sway() - this.#random.uniform();
  }

  /** Whether a round has no page to send, now and then. */
  hasNothing(): boolean {
    return this.#random.happens(this.#nothingToSend);
  }

  /**
   * What ends it by chance first, if so many rounds are still to come; `undefined`: more likely than not nothing does.
   * @param levelPages a rule stops once fewer are pending
   * @param lowestPages what is expected to be pending when that is least; at the end of a round, if the rule looks only there
   */
  endsWithin(rounds: number, levelPages: number, lowestPages: number): ByChance | undefined {
    const dip = this.#dirty.mean - lowestPages;
    const below = probabilityBelow(this.#dirty, levelPages + dip);
    const ended = 1 - (1 - below) * (1 - this.#nothingToSend);
    const round = Math.max(1, Math.ceil(Math.log(0.5 / this.#survival) / Math.log1p(-ended)));
    if (ended > 0) this.#survival *= (1 - ended) ** rounds;
    if (ended === 0 || round > rounds) return undefined;
    const found =
      below < this.#nothingToSend
        ? 'nothing to send'
        : Math.max(0, Math.min(levelPages, this.#dirty.quantile(below / 2) - dip));
    return { round, found };
  }
}

/** Pr[fewer are dirty than that], by bisection on the quantile. */
function probabilityBelow(dirty: DirtyPages, pages: number): number {
  let [low, high] = [0, 1];
  if (dirty.quantile(0) >= pages) return 0;
  if (dirty.quantile(1) < pages) return 1;
  for (let step = 0; step < 50; step++) {
    const middle = (low + high) / 2;
    if (dirty.quantile(middle) < pages) low = middle;
    else high = middle;
  }
  return low;
}
