import type { Nanos } from '../core/units.ts';
import { alikePages, noneDirty } from './alike-pages.ts';
import {
  type DirtyPages,
  durationOf,
  type Load,
  type ModelledMemory,
  type PredictedRound,
} from './memory.ts';

/**
 * A guest of which a sample of pages is followed, spread evenly over its memory and over all that is left to chance. For
 * what an expectation cannot say: programs that come back to a page after a fixed time, dirty bits cleared by chunks,
 * pages skipped because they are dirty again.
 */
export interface SampledGuest {
  readonly kind: 'sampled';
  readonly pages: readonly SampledPage[];
  /** The indices of all pages in the order in which round k sends them; those that are not dirty are passed over. */
  order(round: number): Uint32Array;
  readonly clear: 'page' | 'round' | { readonly chunkPages: number };
  /** A page that is dirty again before its turn waits for the next round. */
  readonly skip: boolean;
}

export interface SampledPage {
  /** Its page number, which need not be whole. */
  readonly address: number;
  /** How many pages it stands for. */
  readonly weight: number;
  /** Held back for the stop whenever it is dirty. */
  readonly deferred: boolean;
  /** Whether chance decides when it is written; not, where a program repeats itself. */
  readonly isRandom: boolean;
  /**
   * When it is first written after its dirty bit was cleared, both since the migration's start; infinity: never.
   * @param times how often its bit has been cleared before
   */
  writtenAfter(clearedAtNs: Nanos, times: number): Nanos;
}

/** What a round does to a page. */
interface Sending {
  /** When its turn comes; infinity: it is not sent. */
  readonly sentAtNs: Float64Array;
  /** When its dirty bit is cleared; infinity: not in this round. */
  readonly clearedAtNs: Float64Array;
  readonly round: PredictedRound;
}

/** Follows when each page of the sample is first written after its dirty bit was cleared: it is dirty from then on. */
export class SampledMemory implements ModelledMemory {
  readonly #guest: SampledGuest;
  readonly #load: Load;
  readonly #writtenAtNs: Float64Array;
  readonly #cleared: Uint32Array;
  #now: Nanos = 0;
  #rounds = 0;
  #next: Sending | undefined;

  constructor(guest: SampledGuest, load: Load) {
    this.#guest = guest;
    this.#load = load;
    this.#writtenAtNs = new Float64Array(guest.pages.length);
    this.#cleared = new Uint32Array(guest.pages.length);
  }

  predict(): PredictedRound {
    return this.#sending().round;
  }

  readonly pendingWithin = (steps: number): Float64Array => {
    const { sentAtNs, clearedAtNs, round } = this.#sending();
    const stepNs = round.durationNs / steps;
    const changes = new Float64Array(steps + 2);
    const at = (ns: Nanos) => Math.max(0, Math.min(steps + 1, Math.ceil((ns - this.#now) / stepNs)));
    for (const [index, page] of this.#guest.pages.entries()) {
      const writtenAgainNs = this.#writtenAgain(index, clearedAtNs);
      const { weight } = page;
      if (!this.#isDirty(index)) {
        changes[at(writtenAgainNs)]! += weight;
        continue;
      }
      // Pending until it is sent, and again from when it is written after its bit was cleared.
      changes[0]! += weight;
      const cleanUntilNs = Math.max(sentAtNs[index]!, writtenAgainNs);
      const sentAt = Math.max(1, at(sentAtNs[index]!));
      changes[sentAt]! -= weight;
      changes[Math.max(sentAt, at(cleanUntilNs))]! += weight;
    }
    const pending = new Float64Array(steps + 1);
    for (let step = 0, sum = 0; step <= steps; step++) pending[step] = sum += changes[step]!;
    return pending;
  };

  zeroPagesLeft(share: number): number {
    const { sentAtNs, round } = this.#sending();
    const zeroFrom = this.#load.pages - this.#load.zeroPages;
    const atNs = this.#now + share * round.durationNs;
    return this.#sum(
      (index) =>
        this.#guest.pages[index]!.address >= zeroFrom && this.#isDirty(index) && sentAtNs[index]! >= atNs,
    );
  }

  nothingToSend(): number {
    const isSent = (index: number) => this.#isDirty(index) && !this.#guest.pages[index]!.deferred;
    const certain = this.#sum((index) => isSent(index) && !this.#guest.pages[index]!.isRandom);
    const random = this.#sum((index) => isSent(index) && this.#guest.pages[index]!.isRandom);
    return noneDirty(certain, null) * noneDirty(Math.min(this.#load.pages, random), this.#load.pages);
  }

  send(): void {
    const { clearedAtNs, round } = this.#sending();
    for (let index = 0; index < clearedAtNs.length; index++) {
      if (clearedAtNs[index] === Number.POSITIVE_INFINITY) continue;
      this.#writtenAtNs[index] = this.#writtenAgain(index, clearedAtNs);
      this.#cleared[index]! += 1;
    }
    this.#now += round.durationNs;
    this.#rounds += 1;
    this.#next = undefined;
  }

  wait(ns: Nanos): void {
    this.#now += ns;
    this.#next = undefined;
  }

  /** The deviation is the largest that independent pages of that mean can have. */
  dirtyPages(): DirtyPages {
    return this.#independent(this.#sum((index) => this.#isDirty(index)));
  }

  swayingPages(): DirtyPages {
    const isRandom = (index: number) => this.#guest.pages[index]!.isRandom;
    const certain = this.#sum((index) => this.#isDirty(index) && !isRandom(index));
    const random = this.#independent(this.#sum((index) => this.#isDirty(index) && isRandom(index)));
    return { ...random, mean: certain + random.mean, quantile: (q) => certain + random.quantile(q) };
  }

  #independent(expected: number): DirtyPages {
    const { pages } = this.#load;
    const mean = Math.min(pages, expected);
    return alikePages(mean, mean * (1 - mean / pages), pages);
  }

  #isDirty(index: number): boolean {
    return this.#writtenAtNs[index]! <= this.#now;
  }

  #writtenAgain(index: number, clearedAtNs: Float64Array): Nanos {
    const cleared = clearedAtNs[index]!;
    if (cleared === Number.POSITIVE_INFINITY) return this.#writtenAtNs[index]!;
    return this.#guest.pages[index]!.writtenAfter(cleared, this.#cleared[index]!);
  }

  /** The next round, page by page in its order. */
  #sending(): Sending {
    this.#next ??= this.#sent();
    return this.#next;
  }

  #sent(): Sending {
    const { pages, order, clear, skip } = this.#guest;
    const { pageSizeBytes, overheadBytes, readAfterSlots = 0 } = this.#load;
    const zeroFrom = this.#load.pages - (this.#rounds === 0 ? this.#load.zeroPages : 0);
    const sentAtNs = new Float64Array(pages.length).fill(Number.POSITIVE_INFINITY);
    const clearedAtNs = new Float64Array(pages.length).fill(Number.POSITIVE_INFINITY);
    const chunks = new Map<number, number[]>();
    const chunkOf = (index: number) =>
      typeof clear === 'object' ? Math.floor(pages[index]!.address / clear.chunkPages) : 0;
    const turns = order(this.#rounds + 1).filter((index) => this.#isDirty(index) && !pages[index]!.deferred);
    if (clear === 'round') {
      // All pages begin anew then, but for what is held back: that stays dirty, and is owed to the destination.
      for (let index = 0; index < pages.length; index++) {
        if (!this.#isDirty(index) || !pages[index]!.deferred) clearedAtNs[index] = this.#now;
      }
    }
    for (const index of typeof clear === 'object' ? turns : []) {
      const members = chunks.get(chunkOf(index));
      if (members) members.push(index);
      else chunks.set(chunkOf(index), [index]);
    }
    let [sentPages, zeroPages] = [0, 0];
    for (const index of turns) {
      const atNs = this.#now + durationOf(this.#load, sentPages, zeroPages);
      const chunk = chunks.get(chunkOf(index));
      for (const other of chunk ?? []) clearedAtNs[other] = atNs;
      chunks.delete(chunkOf(index));
      if (clear !== 'page' && skip && this.#writtenAgain(index, clearedAtNs) <= atNs) continue;
      sentAtNs[index] = atNs;
      const { address, weight } = pages[index]!;
      sentPages += weight;
      if (address >= zeroFrom) zeroPages += weight;
      // It is read when it leaves; of several, that is in the middle of their slots.
      if (clear !== 'page') continue;
      const left = sentPages - (weight - 1) / 2 - (1 - readAfterSlots);
      clearedAtNs[index] = this.#now + durationOf(this.#load, left, zeroPages);
    }
    const bytes = sentPages * (pageSizeBytes + overheadBytes) - zeroPages * pageSizeBytes;
    const dirtyPages = this.#sum((index) => this.#isDirty(index));
    const deferredPages = this.#sum((index) => this.#isDirty(index) && pages[index]!.deferred);
    const durationNs = durationOf(this.#load, sentPages, zeroPages);
    const round = { dirtyPages, sentPages, deferredPages, zeroPages, bytes, durationNs };
    return { sentAtNs, clearedAtNs, round };
  }

  #sum(counts: (index: number) => boolean): number {
    return this.#guest.pages.reduce((sum, { weight }, index) => (counts(index) ? sum + weight : sum), 0);
  }
}
