import type { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';

/** The memory of a guest as its program sees it. */
export interface GuestMemory {
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** The 32-bit words among which those of this page lie. */
  wordsOf(page: number): Uint32Array;
  /** The first of the page's words among these. */
  firstWordOf(page: number): number;
  /**
   * Records that a page was written. Always called after the write: whoever then finds the page marked, clears
   * the mark and copies the page, copies the write.
   */
  mark(page: number): void;
}

/** This memory as its program sees it. @param mark see `GuestMemory` */
export function guestMemory(memory: Omit<GuestMemory, 'mark'>, mark: (page: number) => void): GuestMemory {
  const { pages, pageSizeBytes } = memory;
  const wordsOf = (page: number) => memory.wordsOf(page);
  return { pages, pageSizeBytes, wordsOf, firstWordOf: (page) => memory.firstWordOf(page), mark };
}

/** What a program may use. Registers and random state lie in page 0, so nothing is lost in a migration. */
export interface ProgramState {
  readonly memory: GuestMemory;
  readonly random: Random;
  /** The program's own ten numbers. */
  readonly registers: Float64Array;
}

/**
 * A guest's program: deterministic, cut into short steps, each due at an instant of guest time. It keeps no
 * state outside the guest's pages; what its constructor is given is its text.
 */
export interface Program {
  /** CPU time that a step takes beyond its own instructions. */
  readonly stepCpuNs: Nanos;
  /** Whether the program says itself when a heartbeat is due; otherwise the machine beats periodically. */
  readonly ownHeartbeat: boolean;
  /** Sets the registers of a new guest. */
  boot(state: ProgramState): void;
  /** The guest time at which the next step is due. */
  nextAtNs(state: ProgramState): Nanos;
  /** Carries out the next step. True: a heartbeat is to be sent. */
  step(state: ProgramState): boolean;
}

/**
 * The same program as a process in time: which pages it writes between two instants of guest time, when it is
 * never short of CPU. Random (independent Poisson writers), known only by its curve of dirty pages, or fixed.
 */
export type Activity =
  | { readonly kind: 'poisson'; readonly groups: readonly PoissonGroup[] }
  | {
      readonly kind: 'curve';
      /** How many different pages, any of the guest's, are written in a time that begins with all of them clean. */
      differentPages(ns: Nanos): number;
    }
  | {
      readonly kind: 'timeline';
      /** Visits, for every page written in (from, to], at least its last write there. */
      lastWrites(fromNs: Nanos, toNs: Nanos, visit: (page: number, atNs: Nanos) => void): void;
      /** How often each page is written in the long run. */
      writesPerSecond(): Float64Array;
    };

/** Pages written independently of all others, each at its own rate, none at more than `most`. */
export interface PoissonGroup {
  readonly pages: Uint32Array;
  readonly mostWritesPerSecond: number;
  /** The rate of each of the pages; undefined: all have the most. */
  readonly writesPerSecond?: Float64Array;
}

/** The rate of the group's i-th page. */
export function groupRate(group: PoissonGroup, i: number): number {
  return group.writesPerSecond?.[i] ?? group.mostWritesPerSecond;
}

/** Where a program lives: in `pages` pages, from page 0 on. Behind them are pages that hold only zeros. */
export interface ProgramPlace {
  readonly pages: number;
  readonly zeroPages: number;
  readonly seed: number;
}

/** A kind of program: both its implementations, from its description. @throws Failure a damaged recording */
export interface ProgramKind<Spec> {
  /** @throws Failure it works only in virtual time */
  program(spec: Spec, place: ProgramPlace): Program;
  activity(spec: Spec, place: ProgramPlace): Activity;
  /** The least number of pages that it can live in. */
  pagesNeeded(spec: Spec): number;
}

/** Changes a page: the last word counts its writes, the word before it takes `value`. */
export function writePage(memory: GuestMemory, page: number, value: number): void {
  const words = memory.wordsOf(page);
  const end = memory.firstWordOf(page) + memory.pageSizeBytes / 4;
  words[end - 1]! += 1;
  words[end - 2] = value;
  memory.mark(page);
}
