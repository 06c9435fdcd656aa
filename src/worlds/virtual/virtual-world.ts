import type { Witness } from '../../core/migration/course.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Seen, Step } from '../../core/migration/steps.ts';
import { Random } from '../../core/random.ts';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import { Failure } from '../failure.ts';
import type { World, WorldSetup } from '../world.ts';
import { VirtualGuest } from './virtual-guest.ts';
import { VirtualLink } from './virtual-link.ts';

/** The stream of random numbers that a virtual guest draws from; the order draws from another. */
const GUEST_STREAM = 3;

/**
 * The same migration in virtual time: deterministic, as fast as it can be computed, exact to the nanosecond in
 * what it models: the guest's writes, the dirty bits, the bucket. What it does not model takes no time: hashing,
 * the journal, starting the guest.
 */
export class VirtualWorld implements World {
  readonly startedAt = new Date(0).toISOString();
  readonly #setup: WorldSetup;
  readonly #guest: VirtualGuest;
  readonly #link: VirtualLink;
  readonly #dirty: PageSet;
  /** The instant at which each page's dirty bit was last cleared, by sending it or by a harvest of the window. */
  readonly #clearedAtNs: Float64Array;
  #now: Nanos = 0;
  /** Up to here the guest's writes are in `#dirty`. */
  #drawnUntilNs: Nanos = 0;
  #stoppedAtNs: Nanos | undefined;

  /** @throws Failure the plan cannot be carried out in virtual time. */
  constructor(setup: WorldSetup) {
    const { guest, plan } = setup;
    if (plan.rateBytesPerSecond === null || plan.stopRateBytesPerSecond === null) {
      throw new Failure('link.rate: unlimited has no meaning in virtual time; give the link a rate');
    }
    this.#setup = setup;
    this.#guest = new VirtualGuest(guest, Random.seeded(guest.seed, GUEST_STREAM));
    this.#link = new VirtualLink(plan.depthBytes);
    this.#dirty = new PageSet(guest.pages);
    this.#clearedAtNs = new Float64Array(guest.pages);
  }

  perform(step: Step): Promise<Seen> {
    return Promise.resolve(this.carryOut(step));
  }

  /** The same without a promise: virtual time needs no waiting. */
  carryOut(step: Step): Seen {
    const { guest } = this.#setup;
    switch (step.kind) {
      case 'observe':
        this.#now += step.windowNs;
        this.#draw();
        return this.#seen(this.#take(), step.windowNs);
      case 'learn':
        return { kind: 'learned', now: this.#now, writesPerSecond: this.#guest.writesPerSecond() };
      case 'track':
        this.#draw();
        this.#dirty.addAll(PageSet.all(guest.pages));
        return this.#seen(this.#dirty.copy());
      case 'send':
        return this.#send(step.pages, step.rateBytesPerSecond!, step.clears);
      case 'clear':
        this.#draw();
        step.pages.each((page) => this.#clear(page));
        return { kind: 'done', now: this.#now };
      case 'harvest':
        this.#draw();
        return this.#seen(step.take ? this.#take() : this.#dirty.copy());
      case 'stop':
        this.#draw();
        this.#stoppedAtNs = this.#now;
        return this.#seen(this.#dirty.copy());
      case 'hand over': {
        const now = this.#now;
        return {
          kind: 'handed over',
          now,
          readyAtNs: now,
          verifiedAtNs: now,
          committedAtNs: now,
          runningAtNs: now,
          witness: this.#witness(),
        };
      }
      case 'abort': {
        const witness = this.#witness();
        this.#stoppedAtNs = undefined;
        return { kind: 'aborted', now: this.#now, owner: 'source', witness };
      }
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Pages of one size leave as a row: zero pages cost their header only. */
  #send(pages: Uint32Array, rate: BytesPerSecond, clears: boolean): Seen {
    const { plan, guest } = this.#setup;
    const firstZeroPage = guest.pages - guest.zeroPages;
    let zeroPages = 0;
    let bytes = 0;
    this.#draw();
    this.#link.setRate(rate, this.#now);
    for (let start = 0; start < pages.length; ) {
      const zero = pages[start]! >= firstZeroPage;
      let end = guest.zeroPages === 0 ? pages.length : start + 1;
      while (end < pages.length && pages[end]! >= firstZeroPage === zero) end++;
      const row = pages.subarray(start, end);
      const size = zero ? plan.pageBytes - guest.pageSizeBytes : plan.pageBytes;
      this.#sendRow(row, size, clears);
      if (zero) zeroPages += row.length;
      bytes += row.length * size;
      start = end;
    }
    return { kind: 'sent', now: this.#now, sentPages: pages.length, zeroPages, bytes };
  }

  /** A page's bit is cleared at the instant it leaves; what the guest writes afterwards is drawn later. */
  #sendRow(pages: Uint32Array, bytes: number, clears: boolean): void {
    const instants = this.#link.send(this.#now, bytes, pages.length);
    this.#now = instants[pages.length - 1]!;
    if (!clears) return;
    const dirty = this.#dirty;
    const clearedAtNs = this.#clearedAtNs;
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i]!;
      dirty.delete(page);
      clearedAtNs[page] = instants[i]!;
    }
  }

  #clear(page: number): void {
    this.#dirty.delete(page);
    this.#clearedAtNs[page] = this.#now;
  }

  /** Brings `#dirty` up to now; a stopped guest writes nothing. */
  #draw(): void {
    if (this.#stoppedAtNs === undefined) {
      this.#guest.writes(this.#drawnUntilNs, this.#now, this.#clearedAtNs, this.#dirty);
    }
    this.#drawnUntilNs = this.#now;
  }

  #take(): PageSet {
    const taken = this.#dirty.copy();
    this.#dirty.clear();
    this.#clearedAtNs.fill(this.#now);
    return taken;
  }

  #seen(dirty: PageSet, windowNs: Nanos = 0): Seen {
    return { kind: 'dirty', now: this.#now, dirty, windowNs };
  }

  /** Heartbeats come a period apart in guest time, which stands still while the guest is stopped. */
  #witness(): Witness {
    const standingNs = this.#stoppedAtNs === undefined ? 0 : this.#now - this.#stoppedAtNs;
    return {
      outage: {
        longestGapNs: this.#setup.guest.heartbeatPeriodNs + standingNs,
        lostHeartbeats: 0,
        repeatedHeartbeats: 0,
        lateHeartbeats: 0,
      },
      verified: { memory: 'not-checked', continued: 'not-checked' },
      servers: [],
      link: this.#link.record,
    };
  }
}
