import {
  type BytesPerSecond,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { sleepNs } from '../../platform/timer.ts';
import { requestPages } from '../../qemu/return-path.ts';
import { PAGE_RECORD_BYTES, QEMU_PAGE_BYTES } from '../../qemu/stream-layout.ts';
import { requestsFor } from './asked-pages.ts';
import type { PageFlow, PageTotals } from './page-flow.ts';
import { type PageCounters, type SourceMachine, thresholds } from './source-machine.ts';
import type { StreamRelay } from './stream-relay.ts';

/** QEMU is asked so often whether it has heard all requests, and so long at most: before that it is not let go. */
const REQUESTS_NS = 2 * NANOS_PER_MILLISECOND;
const SOON_NS = 2 * NANOS_PER_SECOND;
/** What is on the way when the source is told to stand still: so many pages in its socket, and what the link carries in the time. */
const MARGIN_PAGES = 150;
const MARGIN_NS = 4 * NANOS_PER_MILLISECOND;
/** A threshold that is set has taken effect by then: QEMU computes it anew ten times a second. */
const THRESHOLD_NS = 115 * NANOS_PER_MILLISECOND;
/** Pages that were counted may have been cleared by the guest (free-page hinting): so long without any, and the round is over. */
const SILENCE_NS = 250 * NANOS_PER_MILLISECOND;

export interface LiveRoundOptions {
  readonly machine: SourceMachine;
  readonly relay: StreamRelay;
  readonly flow: PageFlow;
  /** What is to be sent, in this order; null: what is dirty, in QEMU's order. */
  readonly order: Uint32Array | null;
  /** |D_k|, as QEMU has counted it. */
  readonly dirtyPages: number;
  readonly rateBytesPerSecond: BytesPerSecond | null;
  /** Whether no page has been sent before. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Whether QEMU has gone on to the rest by itself. */
  readonly hasGoneOn: () => boolean;
  /** So many pages are not asked for, dirty or not. */
  readonly heldBackPages: number;
}

/**
 * One round: QEMU is asked for pages in the plan's order and let go, so that it sends what it was asked for as fast as its stream is
 * read. Shortly before the end it is told to stand still, which it does once it has been through what it was asked for. There are
 * three ends:
 *
 * - Of a round after which the next one may follow: nothing is pending, QEMU asks its dirty log once, and says so. Not in the first
 *   round, in which most pages may be zero: they outrun any word to stand still, so that the threshold is 0 until nothing is left.
 * - Of the last one, if nothing is held back: the threshold is 0 by then, so that the log is not asked, nothing is pending, and
 *   nothing happens until the stop is allowed.
 * - Of the last one, if pages are held back: the threshold is above any number by then, and the first page that nobody asked for says
 *   that all the others have been sent.
 */
export class LiveRound {
  readonly began: PageTotals;
  /** What was known at its end; undefined: it goes on. */
  end: PageCounters | undefined;
  readonly #options: LiveRoundOptions;
  #passes = 0;
  #isLeft = false;
  #failure: unknown;

  constructor(options: LiveRoundOptions) {
    this.#options = options;
    this.began = options.flow.totals;
    options.machine.events.listen(({ name, pass }) => {
      if (name === 'MIGRATION_PASS' && pass !== 1) this.#passes += 1;
    });
    this.#conduct().catch((cause) => {
      this.#failure = cause;
    });
  }

  /** @returns whether the round is over: false, it was not by `endNs` of the host's clock */
  async over(endNs: Nanos): Promise<boolean> {
    const isOver = await this.#options.flow.until(
      () => this.end !== undefined || this.#failure !== undefined || this.#options.hasGoneOn(),
      endNs,
    );
    if (this.#failure !== undefined) throw this.#failure;
    return isOver;
  }

  /** The guest is stopped in the middle of the round: nothing more is set here. */
  leave(): void {
    this.#isLeft = true;
  }

  async #conduct(): Promise<void> {
    const { machine, relay, flow, order, isLast, heldBackPages } = this.#options;
    const isThresholdZero = isLast && heldBackPages === 0;
    if (isThresholdZero) await machine.setThreshold(thresholds.never);
    else if (!order) await machine.setThreshold(thresholds.nothing);
    relay.hold();
    try {
      if (order) await this.#ask(order);
      if (isThresholdZero) await sleepNs(Math.max(0, THRESHOLD_NS - this.#expectedNs(this.#leftPages)));
      await machine.letRun(true);
    } finally {
      relay.release();
    }
    const unaskedBefore = flow.asked!.unaskedPages;
    if (isLast && heldBackPages > 0) await this.#untilAllButHeldBack(unaskedBefore);
    else if (isLast) await this.#untilNothingIsLeft();
    else if (order) await this.#untilLogIsAsked();
    else await flow.until(() => this.#passes > 0 || this.#isLeft);
    if (this.#isLeft) return;
    const end = await machine.counters();
    // What QEMU has written is on the way to us.
    await flow.until(() => flow.pages >= end.writtenPages, clockNs() + NANOS_PER_SECOND);
    this.end = end;
  }

  /**
   * Until QEMU has heard all requests, nothing is read of its stream: it would be through those that it has heard before the next ones, and
   * send other pages meanwhile.
   */
  async #ask(order: Uint32Array): Promise<void> {
    const { machine, relay, flow } = this.#options;
    flow.asked!.ask(order);
    const { requests: heardBefore } = await machine.counters();
    const { bytes, count } = requestsFor(order, flow.blocksOf);
    relay.tellSource(bytes);
    const latestNs = clockNs() + SOON_NS;
    while ((await machine.counters()).requests - heardBefore < count && clockNs() < latestNs) {
      await sleepNs(REQUESTS_NS);
    }
  }

  async #untilLogIsAsked(): Promise<void> {
    const { machine, flow, isFirst } = this.#options;
    if (isFirst) await this.#untilNothingIsLeft();
    else await this.#untilLeft(MARGIN_PAGES + this.#pagesIn(MARGIN_NS));
    if (this.#isLeft) return;
    await machine.letRun(false);
    if (isFirst) await machine.setThreshold(thresholds.nothing);
    else await this.#wakeWhenNothingIsLeft();
    await flow.until(() => this.#passes > 0 || this.#isLeft);
  }

  /**
   * QEMU has used up its rate and waits for its next window, in which it would look into its log and go on with pages of its own choice. A
   * request wakes it before: then it looks, and sends nothing.
   */
  async #wakeWhenNothingIsLeft(): Promise<void> {
    const { machine, relay, flow } = this.#options;
    while (!this.#isLeft && this.#passes === 0) {
      if ((await machine.counters()).dirtyPages === 0) {
        relay.tellSource(requestPages(flow.blocksOf.at(-1)!.name, 0, 1));
        return;
      }
      await sleepNs(NANOS_PER_MILLISECOND);
    }
  }

  /** The log is asked after all if the threshold was 0 too late; then the guest is stopped in another way. */
  async #untilNothingIsLeft(): Promise<void> {
    const { machine } = this.#options;
    await this.#untilLeft(MARGIN_PAGES);
    while (!this.#isLeft) {
      const { dirtyPages } = await machine.counters();
      if (dirtyPages === 0) return;
      if (this.#passes > 0) return machine.letRun(false);
      await sleepNs(NANOS_PER_MILLISECOND);
    }
  }

  async #untilAllButHeldBack(unaskedBefore: number): Promise<void> {
    const { machine, flow, heldBackPages } = this.#options;
    const { asked } = flow;
    // All that are held back may be dirty, or none of them.
    await this.#untilLeft(heldBackPages + this.#pagesIn(THRESHOLD_NS));
    await machine.setThreshold(thresholds.any);
    await flow.until(() => asked!.unaskedPages > unaskedBefore || this.#isSilent());
    await machine.letRun(false);
  }

  /** Until at most so many pages are left, or there are no more. */
  async #untilLeft(pages: number): Promise<void> {
    const { flow } = this.#options;
    await flow.until(() => this.#leftPages <= pages || this.#passes > 0 || this.#isSilent() || this.#isLeft);
  }

  #isSilent(): boolean {
    const { relay } = this.#options;
    return relay.lastLeftNs > 0 && clockNs() - relay.lastLeftNs > SILENCE_NS;
  }

  get #leftPages(): number {
    const { flow, dirtyPages } = this.#options;
    return dirtyPages - (flow.pages - this.began.pages);
  }

  #pagesIn(ns: Nanos): number {
    const { rateBytesPerSecond } = this.#options;
    const rate = rateBytesPerSecond ?? UNPACED_BYTES_PER_SECOND;
    return Math.ceil((ns * rate) / NANOS_PER_SECOND / (PAGE_RECORD_BYTES + QEMU_PAGE_BYTES));
  }

  #expectedNs(pages: number): Nanos {
    return (pages / this.#pagesIn(NANOS_PER_SECOND)) * NANOS_PER_SECOND;
  }
}

/** Without a rate, what a source of today writes at most through us. */
const UNPACED_BYTES_PER_SECOND = 500e6;
