import { isContended } from '../../core/cpu/cpu-plan.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Ceiling } from '../../core/link/ceiling.ts';
import type { Measurements } from '../../core/migration/migration-result.ts';
import { PageSet } from '../../core/migration/pages.ts';
import type { Step, StepResult } from '../../core/migration/steps.ts';
import { Random } from '../../core/random.ts';
import type { Bytes, Nanos } from '../../core/units.ts';
import { Failure } from '../../platform/failure.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { ProgramClock } from '../../workload/program-clock.ts';
import { phaseNs } from '../phase.ts';
import type { World } from '../world.ts';
import { virtualLinkOf } from './disturbed-link.ts';
import { guestLoad } from './guest-load.ts';
import { instantsOfPages, spareInstants } from './instants-of-pages.ts';
import { inTime, measured, sentDevice } from './migration-end.ts';
import { PredictedTimes } from './predicted-times.ts';
import { rowFrom } from './row-of-pages.ts';
import { VirtualCpu } from './virtual-cpu.ts';
import { GUEST_STREAM, VirtualGuest } from './virtual-guest.ts';
import { askDestination, carryOutHandover, type HandoverClock } from './virtual-handover.ts';
import type { VirtualLink } from './virtual-link.ts';

/**
 * The same migration in virtual time: deterministic, as fast as it can be computed, exact to the nanosecond in
 * what it models: the guest's writes, the dirty bits, the bucket, and, where anybody competes for them, the
 * processors. What else a machine takes is drawn from its profile; without one, that takes no time.
 */
export class VirtualWorld implements World {
  readonly startedAt = new Date(0).toISOString();
  readonly #spec: MigrationSpec;
  readonly #guest: VirtualGuest;
  readonly #clock: ProgramClock;
  readonly #times: PredictedTimes;
  readonly #link: VirtualLink;
  /** `undefined`: CPU time is there for everybody. */
  readonly #cpu: VirtualCpu | undefined;
  readonly #dirty: PageSet;
  /** The guest time at which each page's dirty bit was last cleared, by sending it or by a harvest of the window. */
  #clearedAtNs: Float64Array;
  #now: Nanos = 0;
  /** Up to this guest time the guest's writes are in `#dirty`. */
  #drawnUntilNs: Nanos = 0;
  #stoppedAtNs: Nanos | undefined;
  /** Whether the sender has prepared the page that leaves next, but it could not leave. */
  #isPrepared = false;
  /** A sender that is woken waits for its processor, if others want it. */
  readonly #passing: HandoverClock = {
    now: () => this.#now,
    passes: (ns) => this.#pass(this.#now + ns),
    works: (ns) => {
      if (ns > 0) this.#pass(this.#now + (this.#cpu ? this.#times.threadSwitchNs() : ns));
      if (ns > 0 && this.#cpu) this.#now = this.#cpu.workOnce(ns);
    },
  };

  /**
   * @param isWatched whether somebody will ask who ran when, and what left in windows: that is kept
   * @throws Failure the plan cannot be carried out in virtual time
   */
  constructor(spec: MigrationSpec, isWatched = true) {
    const { guest, plan, cpu, machine } = spec;
    const unlimited = plan.rateBytesPerSecond === null || plan.stopRateBytesPerSecond === null;
    if (unlimited && cpu.cpuPerPageNs === 0) {
      throw new Failure('link.rate: virtual time needs a rate, or a sender.cpuPerPage; found unlimited');
    }
    this.#spec = spec;
    this.#guest = new VirtualGuest(guest, Random.seeded(guest.seed, GUEST_STREAM));
    this.#clock = new ProgramClock(guest);
    this.#times = new PredictedTimes(spec);
    this.#link = virtualLinkOf(spec, isWatched);
    this.#dirty = new PageSet(guest.pages);
    this.#clearedAtNs = instantsOfPages(guest.pages);
    if (isContended(cpu)) {
      const load = guestLoad(guest, machine?.costs.idleShare?.median);
      this.#cpu = new VirtualCpu(cpu, load, guest.heartbeatPeriodNs, this.#clock, isWatched);
      this.#pass(phaseNs(spec));
      this.#draw();
      this.#take();
    }
  }

  perform(step: Step): Promise<StepResult> {
    return Promise.resolve(this.carryOut(step));
  }

  /** The same without a promise: virtual time needs no waiting. */
  carryOut(step: Step): StepResult {
    const { guest, plan } = this.#spec;
    switch (step.kind) {
      case 'observe':
        return this.#watch(step.windowNs, step.windows);
      case 'learn':
        return { kind: 'learned', now: this.#now, rates: this.#guest.writeRates() };
      case 'track':
        this.#draw();
        this.#cpu?.watchBeats();
        this.#dirty.addAll(PageSet.all(guest.pages));
        return this.#dirtyResult(this.#dirty.copy());
      case 'send':
        return this.#inTime(this.#send(step));
      case 'clear':
        this.#draw();
        step.pages.each((page) => this.#clear(page));
        return { kind: 'done', now: this.#now };
      case 'wait':
        this.#pass(this.#now + step.forNs);
        return { kind: 'done', now: this.#now };
      case 'harvest':
        this.#draw();
        return this.#dirtyResult(step.take ? this.#take() : this.#dirty.copy());
      case 'stop':
        this.#draw();
        this.#stoppedAtNs = this.#now;
        this.#isPrepared = false;
        this.#link.waitsUntilNs = this.#now + plan.stopTimeoutNs;
        this.#cpu?.stopGuest();
        this.#pass(this.#now + this.#times.dirtyScanNs);
        return this.#dirtyResult(this.#dirty.copy(), this.#times.dirtyScanNs);
      case 'device': {
        const sent = sentDevice(step, this.#link, this.#now, this.#spec);
        this.#pass(sent.now);
        return this.#inTime(sent);
      }
      case 'hand over':
        return this.#inTime(this.#handOver(step));
      case 'abort': {
        const measurements = this.#measurements();
        this.#stoppedAtNs = undefined;
        return { kind: 'aborted', now: this.#now, owner: 'source', measurements };
      }
    }
  }

  allow(ceilings: readonly Ceiling[]): void {
    this.#link.ceilings = ceilings.map((one) => ({ ...one, fromNs: one.fromNs + this.#now }));
  }

  slices(): readonly Slice[] {
    return this.#cpu?.slices() ?? [];
  }

  /** Nothing can be asked of it any more. */
  close(): Promise<void> {
    spareInstants(this.#clearedAtNs);
    this.#clearedAtNs = new Float64Array(0);
    return Promise.resolve();
  }

  /** Pages of one size leave as a row: zero pages cost their header only. */
  #send(step: Extract<Step, { kind: 'send' }>): StepResult {
    const { pages, rateBytesPerSecond, clears, endsRound, untilNs = Number.POSITIVE_INFINITY } = step;
    const { plan, guest } = this.#spec;
    const firstZeroPage = guest.pages - guest.zeroPages;
    let zeroPages = 0;
    let bytes = 0;
    this.#draw();
    const isStopped = this.#stoppedAtNs !== undefined;
    if (isStopped) this.#pass(this.#now + this.#times.pauseNs);
    this.#link.setRate(rateBytesPerSecond, this.#now);
    let start = 0;
    while (start < pages.length) {
      const zero = pages[start]! >= firstZeroPage;
      const row = guest.zeroPages === 0 ? pages : rowFrom(pages, start, firstZeroPage);
      const size = zero ? plan.pageBytes - guest.pageSizeBytes : plan.pageBytes;
      const sent = this.#sendRow(row, size, clears, untilNs);
      if (zero) zeroPages += sent;
      bytes += sent * size;
      start += sent;
      if (sent === row.length) continue;
      if (this.#now >= untilNs) break;
      const failed = this.#link.closed(this.#now, plan, isStopped);
      this.#now = failed.now;
      return failed;
    }
    // The destination answers the end of a round once it has everything; that of a stop with the hand-over.
    if (endsRound && start === pages.length) {
      this.#pass(this.#link.passedNs(this.#now));
      if (!isStopped) askDestination(this.#passing, this.#times);
    }
    const sent = { kind: 'sent', now: this.#now, sentPages: start, zeroPages, bytes } as const;
    const underWayBytes = this.#link.underWayBytes(this.#now);
    return underWayBytes > 0 ? { ...sent, underWayBytes } : sent;
  }

  /** @returns how many left before the link allowed nothing more, or until this instant */
  #sendRow(pages: Uint32Array, bytes: Bytes, clears: boolean, stepEndNs: Nanos): number {
    const cpuPerPageNs = this.#cpu ? Math.max(this.#spec.cpu.cpuPerPageNs, this.#times.sendNsPerPage) : 0;
    if (this.#cpu && cpuPerPageNs > 0) {
      let sent = 0;
      const ready = () => this.#link.readyBy(this.#now, bytes, stepEndNs);
      const leaves = (atNs: Nanos): boolean => {
        this.#pass(Math.max(atNs, Math.min(stepEndNs, this.#link.passedNs(atNs))));
        this.#isPrepared = this.#now >= stepEndNs || this.#link.isClosed(this.#now);
        if (this.#isPrepared) return false;
        this.#link.departs(this.#now, bytes);
        if (clears) this.#clear(pages[sent]!);
        sent += 1;
        return true;
      };
      // A page that was prepared when the step before ended leaves first.
      if (this.#isPrepared && !leaves(ready())) return sent;
      this.#cpu.work(cpuPerPageNs, pages.length - sent, ready, (_, atNs) => leaves(atNs));
      return sent;
    }
    const { instants, untilNs } = this.#link.send(this.#now, bytes, pages.length, stepEndNs);
    if (this.#cpu) {
      for (let i = 0; i < instants.length; i++) {
        this.#pass(instants[i]!);
        if (clears) this.#clear(pages[i]!);
      }
      this.#pass(untilNs);
      return instants.length;
    }
    this.#now = untilNs;
    if (!clears) return instants.length;
    this.#dirty.deleteRow(pages.subarray(0, instants.length));
    const clearedAtNs = this.#clearedAtNs;
    const programNs = this.#clock.programRow(instants);
    for (let i = 0; i < programNs.length; i++) clearedAtNs[pages[i]!] = programNs[i]!;
    return instants.length;
  }

  /** A page's bit is cleared at the instant it leaves; what the guest writes afterwards is drawn later. */
  #clear(page: number): void {
    this.#dirty.delete(page);
    this.#clearedAtNs[page] = this.#guestTimeNs;
  }

  #pass(untilNs: Nanos): void {
    // Of an outage whose end is not known yet no more is asked than that.
    if (untilNs < Number.POSITIVE_INFINITY) this.#cpu?.advanceTo(untilNs);
    this.#now = untilNs;
  }

  /** How far the guest's program has come: short of CPU it falls behind. */
  get #guestTimeNs(): Nanos {
    return this.#cpu?.guestTimeNs ?? this.#clock.programNs(this.#now);
  }

  /** Brings `#dirty` up to now; a stopped guest writes nothing. */
  #draw(): void {
    const untilNs = this.#guestTimeNs;
    if (this.#stoppedAtNs === undefined) {
      this.#guest.writes(this.#drawnUntilNs, untilNs, this.#clearedAtNs, this.#dirty);
    }
    this.#drawnUntilNs = untilNs;
  }

  /** One window, or several of a guest that can say at once what they see. None leaves anything dirty behind. */
  #watch(windowNs: Nanos, windows: number): StepResult {
    const { writers } = this.#guest;
    if (windows === 1 || !writers) {
      this.#pass(this.#now + windowNs);
      this.#draw();
      return this.#dirtyResult(this.#take(), windowNs);
    }
    const untilNs = new Float64Array(windows).map(() => {
      this.#pass(this.#now + windowNs);
      return this.#guestTimeNs;
    });
    const seen = this.#guest.windows(writers, this.#drawnUntilNs, untilNs, windowNs);
    this.#drawnUntilNs = this.#guestTimeNs;
    return { kind: 'watched', now: this.#now, windows: seen };
  }

  #take(): PageSet {
    const taken = this.#dirty.copy();
    this.#dirty.clear();
    this.#clearedAtNs.fill(this.#guestTimeNs);
    return taken;
  }

  #dirtyResult(dirty: PageSet, windowNs: Nanos = 0): StepResult {
    return { kind: 'dirty', now: this.#now, dirty, windowNs };
  }

  #inTime(result: StepResult): StepResult {
    const ended = inTime(result, this.#spec, this.#stoppedAtNs);
    this.#now = ended.now;
    return ended;
  }

  #handOver({ verify }: Extract<Step, { kind: 'hand over' }>): StepResult {
    const instants = carryOutHandover(this.#passing, this.#times, this.#spec, verify);
    return { kind: 'handed over', now: this.#now, ...instants, measurements: this.#measurements() };
  }

  #measurements(): Measurements {
    const time = { now: this.#now, stoppedAtNs: this.#stoppedAtNs };
    return measured(this.#spec, this.#clock, time, {
      link: this.#link.record,
      servers: this.#cpu?.servers() ?? [],
      outage: this.#cpu?.outage(this.#stoppedAtNs),
    });
  }
}
