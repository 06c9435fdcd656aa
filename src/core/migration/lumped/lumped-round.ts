import type { Random } from '../../random.ts';
import { sampleOfKinds } from '../../random-counts.ts';
import type { Plan } from '../plan.ts';
import { asLumped, type DirtyPages, type RoundPages, type SendBatch } from '../round-pages.ts';
import { sliceOf } from './lumped-layout.ts';
import { LumpedBatch, type LumpedPages, type LumpedShare } from './lumped-pages.ts';

/**
 * A round in counts: the strata are sent place by place. Which pages of one place come next is a draw without replacement, since
 * nothing tells them apart.
 */
export class LumpedRound implements RoundPages {
  readonly dirtyPages: number;
  readonly #deferredPages: number;
  #unsentPages: number;
  readonly #strata: LumpedPages['strata'];
  readonly #unsent: Float64Array;
  /** The strata that have the same place, in the order in which they are sent. */
  readonly #places: readonly (readonly number[])[];
  readonly #slicePages: number;
  readonly #random: Random;
  #place = 0;

  constructor({ clear, pages }: Plan, dirty: LumpedPages, random: Random) {
    const { strata } = dirty;
    this.#strata = strata;
    this.#unsent = Float64Array.from(strata, (each, stratum) =>
      each.isHeldBack ? 0 : dirty.pendingOf(stratum),
    );
    this.dirtyPages = dirty.count();
    this.#unsentPages = this.#unsent.reduce((sum, count) => sum + count, 0);
    this.#deferredPages = this.dirtyPages - this.#unsentPages;
    this.#places = placesOf(dirty);
    // Instants count, or pages of zeros, which leave as the last of their batch, are among others.
    const isMixed = this.#places.some(
      (members) => members.length > 1 && members.some((one) => strata[one]!.isZero),
    );
    this.#slicePages = clear === 'page' || isMixed ? sliceOf(pages) : Number.POSITIVE_INFINITY;
    this.#random = random;
  }

  get unsentPages(): number {
    return this.#unsentPages;
  }

  toClear(): undefined {}

  next(most: number, dirtyAgain?: DirtyPages): LumpedBatch {
    const again = dirtyAgain && asLumped(dirtyAgain).dirtyAgain;
    const shares: LumpedShare[] = [];
    const lastUnsent = Math.max(0, this.#unsentPages - most);
    while (this.#unsentPages > lastUnsent) {
      shares.push(...this.#take(this.#nextPlace(), this.#unsentPages - lastUnsent, again));
    }
    return new LumpedBatch(shares, this.#slicePages, this.#random.bits());
  }

  /** At most so many pages of one place; of each stratum, those that are dirty again and those that are not are two kinds. */
  #take(members: readonly number[], most: number, again: Float64Array | undefined): LumpedShare[] {
    const kinds = members.flatMap((stratum) => {
      const dirty = again?.[stratum] ?? 0;
      return [this.#unsent[stratum]! - dirty, dirty];
    });
    const taken = sampleOfKinds(this.#random, kinds, most);
    const shares = members.map((stratum, index) => {
      const { isZero, place } = this.#strata[stratum]!;
      const [sent, passedOver] = [taken[2 * index]!, taken[2 * index + 1]!];
      this.#settle(stratum, sent + passedOver);
      return { stratum, place, isZero, sent, passedOver };
    });
    return shares.filter(({ sent, passedOver }) => sent + passedOver > 0);
  }

  giveBack(batch: SendBatch, sentPages: number): void {
    const { shares } = batch as LumpedBatch;
    const first = (batch as LumpedBatch).first(sentPages);
    this.#place = 0;
    for (const [index, { stratum, sent }] of shares.entries()) this.#settle(stratum, first[index]! - sent);
  }

  /** So many more have had their turn. */
  #settle(stratum: number, pages: number): void {
    this.#unsent[stratum]! -= pages;
    this.#unsentPages -= pages;
  }

  /** The strata of the first place of which something is left. */
  #nextPlace(): readonly number[] {
    const isLeft = (stratum: number) => this.#unsent[stratum]! > 0;
    while (!this.#places[this.#place]!.some(isLeft)) this.#place += 1;
    return this.#places[this.#place]!;
  }

  heldBack(): number {
    return this.#deferredPages;
  }

  /** What was held back, and what had no turn, is owed: the answer counts it. */
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
