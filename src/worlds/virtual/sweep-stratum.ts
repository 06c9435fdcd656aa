import type { Random } from '../../core/random.ts';
import { hypergeometric, sampleOfKinds } from '../../core/random-counts.ts';
import type { Nanos } from '../../core/units.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import type { StratumPages } from './stratum-pages.ts';

/** Neighbours in the order of writing, all dirty or all clean. Any of them are owed. */
interface Arc {
  readonly pages: number;
  readonly isDirty: boolean;
  owed: number;
}

/**
 * A working set that is written page after page, again and again, scattered over the memory: the dirty pages are an arc of the
 * cycle, and which pages of an arc have been sent says nothing but chance. So the cycle is kept as a few arcs. Page 0, the first
 * of the cycle, is not among them.
 */
export class SweepStratum implements StratumPages {
  readonly #cycle: number;
  readonly #gapNs: Nanos;
  readonly #random: Random;
  readonly #clock: ProgramClock;
  /** From the page on that is written next, in the order of writing. */
  #arcs: readonly Arc[];
  #writes = 0;

  /** @param cycle the pages of the working set, page 0 among them, one written every `gapNs` of program time */
  constructor(cycle: number, gapNs: Nanos, random: Random, clock: ProgramClock) {
    this.#cycle = cycle;
    this.#gapNs = gapNs;
    this.#random = random;
    this.#clock = clock;
    this.#arcs = [{ pages: cycle - 1, isDirty: false, owed: 0 }];
  }

  get owed(): number {
    return this.#sum(({ isDirty, owed }) => (isDirty ? 0 : owed));
  }

  get dirtyAgain(): number {
    return this.#sum(({ isDirty, owed }) => (isDirty ? owed : 0));
  }

  get dirty(): number {
    return this.#sum(({ isDirty, pages, owed }) => (isDirty ? pages - owed : 0));
  }

  draw(ranNs: Nanos): void {
    const writes = Math.floor(this.#clock.programNs(ranNs) / this.#gapNs);
    // Every cycle begins with page 0.
    const ofOthers = (until: number) => until - Math.ceil(until / this.#cycle);
    const visited = Math.min(this.#cycle - 1, ofOthers(writes) - ofOthers(this.#writes));
    this.#writes = writes;
    if (visited === 0) return;
    if (visited === this.#cycle - 1) {
      // The cycle may begin anywhere now: all of it is dirty.
      this.#arcs = [{ pages: visited, isDirty: true, owed: this.#sum(({ owed }) => owed) }];
      return;
    }
    const [passed, ahead] = this.#cut(visited);
    const owed = passed.reduce((sum, each) => sum + each.owed, 0);
    this.#arcs = joined([...ahead, { pages: visited, isDirty: true, owed }]);
  }

  track(): void {
    this.#arcs = [{ pages: this.#cycle - 1, isDirty: true, owed: 0 }];
  }

  take(): void {
    const taken = this.#arcs.map(({ pages, isDirty, owed }) => ({ pages, owed: isDirty ? pages : owed }));
    this.#arcs = joined(taken.map((arc) => ({ ...arc, isDirty: false })));
  }

  passOver(pages: number): void {
    this.#settle(pages, ({ isDirty }) => isDirty);
  }

  send(pages: number, areClean: boolean): void {
    this.#settle(pages, ({ isDirty }) => !(areClean && isDirty));
  }

  sendCleared(): never {
    throw new TypeError('a sweep is not known page by page, found bits that are cleared as pages leave');
  }

  /** So many of those that are owed, any of these arcs, are owed no longer. */
  #settle(pages: number, among: (arc: Arc) => boolean): void {
    const arcs = this.#arcs.filter(among);
    const taken = sampleOfKinds(
      this.#random,
      arcs.map(({ owed }) => owed),
      pages,
    );
    for (const [index, arc] of arcs.entries()) arc.owed -= taken[index]!;
  }

  /** The arcs of the next so many pages, and the others. */
  #cut(pages: number): readonly [readonly Arc[], readonly Arc[]] {
    const passed: Arc[] = [];
    let left = pages;
    for (const [index, arc] of this.#arcs.entries()) {
      if (left >= arc.pages) {
        passed.push(arc);
        left -= arc.pages;
        continue;
      }
      const owed = hypergeometric(this.#random, arc.owed, arc.pages - arc.owed, left);
      passed.push({ ...arc, pages: left, owed });
      const rest = { ...arc, pages: arc.pages - left, owed: arc.owed - owed };
      return [passed, [rest, ...this.#arcs.slice(index + 1)]];
    }
    return [passed, []];
  }

  #sum(count: (arc: Arc) => number): number {
    return this.#arcs.reduce((sum, arc) => sum + count(arc), 0);
  }
}

/** Neighbours of which nothing is to be told apart are one arc: before the next harvest, after which all dirty ones are owed. */
function joined(arcs: readonly Arc[]): readonly Arc[] {
  const all: Arc[] = [];
  for (const arc of arcs) {
    const last = all.at(-1);
    if (last && areAlike(last, arc)) {
      const { isDirty } = arc;
      all[all.length - 1] = { pages: last.pages + arc.pages, isDirty, owed: last.owed + arc.owed };
    } else if (arc.pages > 0) {
      all.push({ ...arc });
    }
  }
  return all;
}

function areAlike(one: Arc, other: Arc): boolean {
  if (one.isDirty !== other.isDirty) return false;
  const isNone = one.owed === 0 && other.owed === 0;
  return one.isDirty || isNone || (one.owed === one.pages && other.owed === other.pages);
}
