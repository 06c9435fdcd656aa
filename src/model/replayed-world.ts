import { notEncrypted } from '../core/link/encryption.ts';
import type { WriteRates } from '../core/migration/heat.ts';
import type { Measurements } from '../core/migration/migration-result.ts';
import { PageSet } from '../core/migration/pages.ts';
import { SeenPages } from '../core/migration/seen-pages.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';
import {
  type Bytes,
  type BytesPerSecond,
  formatDuration,
  NANOS_PER_SECOND,
  type Nanos,
} from '../core/units.ts';
import type { StopTime } from './downtime-at-rate.ts';

/** A guest whose writes are known, all of them, from the instant at which it begins. */
export interface ReplayedGuest {
  readonly pages: number;
  /** The last so many hold zeros when it begins. */
  readonly zeroPages: number;
  /** Visits, for every page written in (from, to] of the guest's time, at least its last write there. */
  lastWrites(fromNs: Nanos, toNs: Nanos, visit: (page: number, atNs: Nanos) => void): void;
  /** How far the guest has come when it has been there for so long. */
  programNs(ranNs: Nanos): Nanos;
  readonly heartbeatPeriodNs: Nanos;
  /** How often each page is written in the long run. */
  writeRates(): WriteRates;
}

/** How its pages leave. */
export interface ReplayedLink {
  readonly pageBytes: Bytes;
  /** H, all that a page of zeros costs. */
  readonly overheadBytes: Bytes;
  /** b. */
  readonly rateBytesPerSecond: BytesPerSecond;
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
  /** How long a stop takes, from the pause to the end: the first of the cases that are equally likely is taken. */
  readonly stopTimes: readonly StopTime[];
  readonly stopTimeoutNs: Nanos;
}

/** A step takes as long as looking at so many pages. */
const STEP_WORK = 4_000;

/** So many that what they saw of a page are a few words. */
const WINDOWS_AT_ONCE = 128;

/**
 * A world for the model: it answers a migration's steps from what its guest is known to write, on bitmaps, over a link that
 * is never idle. Page i of a round leaves once the bytes before it have, and its dirty bit is cleared then:
 *
 *   t_i = t_0 + Σ_{j < i} bytes_j / b
 */
export class ReplayedWorld {
  readonly #guest: ReplayedGuest;
  readonly #link: ReplayedLink;
  readonly #workMax: number;
  readonly #dirty: PageSet;
  /** In the guest's time; so is `#drawnUntilNs`. */
  readonly #clearedAtNs: Float64Array;
  #drawnUntilNs: Nanos = 0;
  #now: Nanos = 0;
  #stoppedAtNs: Nanos | undefined;
  #sentBytes: Bytes = 0;
  /** What it costs: the pages and writes that were looked at, and the steps. */
  work = 0;

  /** @param workMax of which more than these are not looked at */
  constructor(guest: ReplayedGuest, link: ReplayedLink, workMax: number) {
    this.#guest = guest;
    this.#link = link;
    this.#workMax = workMax;
    this.#dirty = new PageSet(guest.pages);
    this.#clearedAtNs = new Float64Array(guest.pages);
  }

  /** Whether it was followed as far as it went. */
  get isWorkedOut(): boolean {
    return this.work <= this.#workMax;
  }

  carryOut(step: Step): StepResult {
    this.work += STEP_WORK;
    if (!this.isWorkedOut && step.kind !== 'abort') {
      return { kind: 'failed', now: this.#now, why: `not worked out beyond ${formatDuration(this.#now)}` };
    }
    switch (step.kind) {
      case 'observe':
        return this.#watch(step);
      case 'learn':
        return { kind: 'learned', now: this.#now, rates: this.#guest.writeRates() };
      case 'track':
        this.#draw();
        this.#dirty.addAll(PageSet.all(this.#guest.pages));
        return this.#dirtyResult();
      case 'send':
        return this.#send(step);
      case 'clear':
        this.#draw();
        step.pages.each((page) => this.#clear(page, this.#drawnUntilNs));
        return { kind: 'done', now: this.#now };
      case 'wait':
        this.#now += step.forNs;
        return { kind: 'done', now: this.#now };
      case 'harvest': {
        this.#draw();
        const result = this.#dirtyResult();
        if (step.take) {
          this.#dirty.clear();
          this.#clearedAtNs.fill(this.#drawnUntilNs);
        }
        return result;
      }
      case 'stop':
        this.#draw();
        this.#stoppedAtNs = this.#now;
        return this.#dirtyResult();
      case 'device':
        // Is in the time of the stop.
        return { kind: 'done', now: this.#now };
      case 'hand over': {
        const [now, measurements] = [this.#now, this.#measurements()];
        const instants = { readyAtNs: now, verifiedAtNs: now, committedAtNs: now, runningAtNs: now };
        return { kind: 'handed over', now, ...instants, measurements };
      }
      case 'abort':
        return { kind: 'aborted', now: this.#now, owner: 'source', measurements: this.#measurements() };
    }
  }

  #send({ pages, clears, untilNs = Number.POSITIVE_INFINITY }: Extract<Step, { kind: 'send' }>): StepResult {
    const { rateBytesPerSecond, stopRateBytesPerSecond, stopTimes, stopTimeoutNs, pageBytes } = this.#link;
    const { programNs } = this.#guest;
    const startNs = this.#now;
    this.#draw();
    this.work += pages.length;
    let [sentPages, zeroPages, bytes] = [0, 0, 0];
    const leftNs = () => startNs + (bytes * NANOS_PER_SECOND) / rateBytesPerSecond;
    for (let atNs = startNs; sentPages < pages.length && atNs < untilNs; atNs = leftNs()) {
      const page = pages[sentPages++]!;
      if (clears) this.#clear(page, programNs(atNs));
      const size = this.#bytesOf(page);
      if (size < pageBytes) zeroPages += 1;
      bytes += size;
    }
    this.#sentBytes += bytes;
    if (this.#stoppedAtNs === undefined) {
      this.#now = leftNs();
      return { kind: 'sent', now: this.#now, sentPages, zeroPages, bytes };
    }
    const tookNs = stopTimes[0]!(bytes, stopRateBytesPerSecond);
    this.#now = startNs + Math.min(tookNs, stopTimeoutNs);
    if (tookNs <= stopTimeoutNs) return { kind: 'sent', now: this.#now, sentPages, zeroPages, bytes };
    const why = `the stop takes ${formatDuration(tookNs)}, and is broken off after ${formatDuration(stopTimeoutNs)}`;
    return { kind: 'failed', now: this.#now, why, outcome: 'aborted' };
  }

  #bytesOf(page: number): Bytes {
    const { pages, zeroPages } = this.#guest;
    return page >= pages - zeroPages ? this.#link.overheadBytes : this.#link.pageBytes;
  }

  #clear(page: number, atNs: Nanos): void {
    this.#dirty.delete(page);
    this.#clearedAtNs[page] = atNs;
  }

  /** Brings the dirty bits up to now. Page 0 has the guest's registers: every write and every heartbeat writes it, too. */
  #draw(): void {
    const untilNs = this.#stoppedAtNs === undefined ? this.#guest.programNs(this.#now) : this.#drawnUntilNs;
    const [dirty, clearedAtNs] = [this.#dirty, this.#clearedAtNs];
    const page0Ns = Math.max(this.#drawnUntilNs, clearedAtNs[0]!);
    let writes = 0;
    this.#guest.lastWrites(this.#drawnUntilNs, untilNs, (page, atNs) => {
      writes += 1;
      if (atNs > clearedAtNs[page]!) dirty.add(page);
      if (atNs > page0Ns) dirty.add(0);
    });
    if (this.#beats(page0Ns, untilNs)) dirty.add(0);
    this.#drawnUntilNs = untilNs;
    this.work += writes;
  }

  #beats(fromNs: Nanos, toNs: Nanos): boolean {
    const { heartbeatPeriodNs } = this.#guest;
    return Math.floor(toNs / heartbeatPeriodNs) > Math.floor(fromNs / heartbeatPeriodNs);
  }

  /** Several windows at once. None leaves anything dirty behind. */
  #watch({ windowNs, windows: asked }: Extract<Step, { kind: 'observe' }>): StepResult {
    const { pages, lastWrites, programNs } = this.#guest;
    const windows = Math.min(asked, WINDOWS_AT_ONCE);
    const seen = new SeenPages(pages, windows);
    for (let window = 0; window < windows; window++) {
      const fromNs = this.#drawnUntilNs;
      this.#now += windowNs;
      this.#drawnUntilNs = programNs(this.#now);
      let writes = 0;
      lastWrites(fromNs, this.#drawnUntilNs, (page) => {
        writes += 1;
        seen.add(page, window);
      });
      if (writes > 0 || this.#beats(fromNs, this.#drawnUntilNs)) seen.add(0, window);
      this.work += writes + 1;
    }
    return { kind: 'watched', now: this.#now, windows: seen.windows(windowNs) };
  }

  #dirtyResult(): StepResult {
    this.work += this.#dirty.words.length;
    return { kind: 'dirty', now: this.#now, dirty: this.#dirty.copy(), windowNs: 0 };
  }

  /** It has no instruments. */
  #measurements(): Measurements {
    const rates = { reservedBytesPerSecond: null, depthBytes: 0, worstExcessBytes: null, utilisation: null };
    return {
      outage: null,
      verified: { memory: 'not-checked', continued: 'not-checked' },
      servers: [],
      notes: [],
      link: {
        ...rates,
        sentBytes: this.#sentBytes,
        windows: [],
        longestLatenessNs: 0,
        lateNs: 0,
        roundTripNs: null,
        encryption: notEncrypted,
      },
    };
  }
}
