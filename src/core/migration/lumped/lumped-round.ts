import type { Random } from '../../random.ts';
import { sampleOfKinds } from '../../random-counts.ts';
import type { Plan } from '../plan.ts';
import { asLumped, type DirtyPages, type RoundPages } from '../round-pages.ts';
import { sliceOf } from './lumped-layout.ts';
import { LumpedBatch, type LumpedPages } from './lumped-pages.ts';

/**
 * A round in counts: the strata are sent place by place. Which pages of one place come next is a draw without replacement, since
 * nothing tells them apart.
 */
export class LumpedRound implements RoundPages {
  readonly dirtyPages: number;
  readonly deferredPages: number;
  #unsentPages: number;
  readonly #unsent: Float64Array;
  /** The strata that have the same place, in the order in which they are sent. */
  readonly #places: readonly (readonly number[])[];
  readonly #mostAtOnce: number;
  readonly #random: Random;
  #place = 0;

  constructor(plan: Plan, dirty: LumpedPages, random: Random) {
    const { strata } = dirty;
    this.#unsent = Float64Array.from(strata, (each, stratum) =>
      each.isHeldBack ? 0 : dirty.pendingOf(stratum),
    );
    this.dirtyPages = dirty.count();
    this.#unsentPages = this.#unsent.reduce((sum, count) => sum + count, 0);
    this.deferredPages = this.dirtyPages - this.#unsentPages;
    this.#places = placesOf(dirty);
    this.#mostAtOnce = plan.clear === 'page' ? sliceOf(plan.pages) : Number.POSITIVE_INFINITY;
    this.#random = random;
  }

  get unsentPages(): number {
    return this.#unsentPages;
  }

  toClear(): undefined {}

  next(most: number, dirtyAgain?: DirtyPages): LumpedBatch {
    const members = this.#nextPlace();
    const again = dirtyAgain && asLumped(dirtyAgain).dirtyAgain;
    // Of each stratum, those that are dirty again and those that are not.
    const kinds = members.flatMap((stratum) => {
      const dirty = again?.[stratum] ?? 0;
      return [this.#unsent[stratum]! - dirty, dirty];
    });
    const taken = sampleOfKinds(this.#random, kinds, Math.min(most, this.#mostAtOnce));
    const shares = members.map((stratum, index) => {
      const [sent, passedOver] = [taken[2 * index]!, taken[2 * index + 1]!];
      this.#unsent[stratum]! -= sent + passedOver;
      this.#unsentPages -= sent + passedOver;
      return { stratum, sent, passedOver };
    });
    return new LumpedBatch(shares.filter(({ sent, passedOver }) => sent + passedOver > 0));
  }

  /** The strata of the first place of which something is left. */
  #nextPlace(): readonly number[] {
    const isLeft = (stratum: number) => this.#unsent[stratum]! > 0;
    while (!this.#places[this.#place]!.some(isLeft)) this.#place += 1;
    return this.#places[this.#place]!;
  }

  /** What was held back, and what had no turn, is owed: the answer counts it. */
  pendingPages(dirty: DirtyPages): number {
    return dirty.count();
  }

  rest(dirty: DirtyPages): LumpedPages {
    return asLumped(dirty);
  }
}

function placesOf({ strata }: LumpedPages): readonly (readonly number[])[] {
  const members = new Map<number, number[]>();
  for (const [stratum, { place }] of strata.entries()) {
    const others = members.get(place);
    if (others) others.push(stratum);
    else members.set(place, [stratum]);
  }
  return [...members].sort(([one], [other]) => one - other).map(([, strata]) => strata);
}
