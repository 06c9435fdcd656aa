import type { Random } from '../../random.ts';
import { sampleOfKinds } from '../../random-counts.ts';
import type { Plan } from '../plan.ts';
import { asLumped, type DirtyPages, type RoundPages } from '../round-pages.ts';
import { sliceOf } from './lumped-layout.ts';
import { LumpedBatch, type LumpedPages, type LumpedShare } from './lumped-pages.ts';

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

  /** @param isWatched whether it will be asked, before it is over, what is pending: then it is sent in small batches anyhow */
  constructor({ clear, pages }: Plan, dirty: LumpedPages, random: Random, isWatched: boolean) {
    const { strata } = dirty;
    this.#unsent = Float64Array.from(strata, (each, stratum) =>
      each.isHeldBack ? 0 : dirty.pendingOf(stratum),
    );
    this.dirtyPages = dirty.count();
    this.#unsentPages = this.#unsent.reduce((sum, count) => sum + count, 0);
    this.deferredPages = this.dirtyPages - this.#unsentPages;
    this.#places = placesOf(dirty);
    this.#mostAtOnce = clear === 'page' && !isWatched ? sliceOf(pages) : pages;
    this.#random = random;
  }

  get unsentPages(): number {
    return this.#unsentPages;
  }

  toClear(): undefined {}

  next(most: number, dirtyAgain?: DirtyPages): LumpedBatch {
    const again = dirtyAgain && asLumped(dirtyAgain).dirtyAgain;
    const shares: LumpedShare[] = [];
    for (let left = Math.min(most, this.#mostAtOnce, this.#unsentPages); left > 0; ) {
      const taken = this.#take(this.#nextPlace(), left, again);
      shares.push(...taken);
      left -= taken.reduce((sum, { sent, passedOver }) => sum + sent + passedOver, 0);
    }
    return new LumpedBatch(shares);
  }

  /** At most so many pages of one place; of each stratum, those that are dirty again and those that are not are two kinds. */
  #take(members: readonly number[], most: number, again: Float64Array | undefined): LumpedShare[] {
    const kinds = members.flatMap((stratum) => {
      const dirty = again?.[stratum] ?? 0;
      return [this.#unsent[stratum]! - dirty, dirty];
    });
    const taken = sampleOfKinds(this.#random, kinds, most);
    const shares = members.map((stratum, index) => {
      const [sent, passedOver] = [taken[2 * index]!, taken[2 * index + 1]!];
      this.#unsent[stratum]! -= sent + passedOver;
      this.#unsentPages -= sent + passedOver;
      return { stratum, sent, passedOver };
    });
    return shares.filter(({ sent, passedOver }) => sent + passedOver > 0);
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
