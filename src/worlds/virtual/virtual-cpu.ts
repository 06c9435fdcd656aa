import {
  type CpuPlan,
  ruleOf,
  type SchedEntity,
  type Scheduler,
  schedEntities,
  schedulerOf,
} from '../../core/cpu/cpu-plan.ts';
import { kernelProcessors } from '../../core/cpu/kernel-classes.ts';
import {
  type EntityId,
  Processor,
  type ProcessorListener,
  type SimulatedProcessors,
} from '../../core/cpu/processor.ts';
import type { ServerRecord } from '../../core/cpu/server-record.ts';
import type { Slice } from '../../core/cpu/slice.ts';
import type { Nanos } from '../../core/units.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import type { GuestLoad } from './guest-load.ts';
import { SupplyLog } from './supply-log.ts';

interface Place {
  readonly processor: SimulatedProcessors;
  readonly entity: EntityId;
  readonly supply: SupplyLog;
}

/**
 * The processors in virtual time: who runs when, exact to the nanosecond, and how far that brings guest and sender.
 * Under `none` all processors are the kernel's, with its fair class; it moves guest and sender between them. Otherwise those on
 * which neither of them lives are left out: nothing that happens there matters.
 */
export class VirtualCpu {
  readonly #load: GuestLoad | undefined;
  readonly #clock: ProgramClock;
  readonly #heartbeatPeriodNs: Nanos;
  readonly #processors: readonly SimulatedProcessors[];
  readonly #guest: Place;
  readonly #sender: Place;
  readonly #supplies: readonly SupplyLog[];
  #now: Nanos = 0;
  #released = 0;
  #finished = 0;
  /** The guest's unfinished work while it is stopped. */
  #stoppedWorkNs: Nanos | undefined;
  /** How many pieces of work. */
  #senderFinished = 0;
  #lastBeatNs: Nanos = 0;
  #longestGapNs: Nanos = 0;
  #lateBeats = 0;

  /**
   * @param clock by which the guest's jobs arrive
   * @param keepsSlices whether somebody will ask who ran when
   */
  constructor(
    plan: CpuPlan,
    load: GuestLoad | undefined,
    heartbeatPeriodNs: Nanos,
    clock: ProgramClock,
    keepsSlices: boolean,
  ) {
    this.#load = load;
    this.#clock = clock;
    this.#heartbeatPeriodNs = heartbeatPeriodNs;
    const all = schedEntities(plan);
    const places = new Map<string, Place>();
    this.#processors = groupsOf(plan, all).map((here) => {
      const placeOf: Place[] = [];
      const processor = processorsOf(here, {
        slice: (entity, startNs, endNs, index) =>
          placeOf[entity]!.supply.ran(startNs, endNs, here.firstProcessor + index),
        finished: (entity, atNs) => this.#hasFinished(placeOf[entity]!, atNs),
      });
      for (const [entity, { name, reservation }] of here.entities.entries()) {
        placeOf[entity] = { processor, entity, supply: new SupplyLog(name, reservation, keepsSlices) };
        places.set(name, placeOf[entity]);
      }
      return processor;
    });
    this.#guest = places.get('guest')!;
    this.#sender = places.get('sender')!;
    this.#supplies = [...places.values()].map(({ supply }) => supply);
    for (const hog of all.filter(({ kind }) => kind === 'hog')) {
      const place = places.get(hog.name);
      if (place) this.#arrive(place, Number.POSITIVE_INFINITY);
    }
  }

  advanceTo(untilNs: Nanos): void {
    for (let next = this.#nextJobNs(); next <= untilNs; next = this.#nextJobNs()) {
      this.#runUntil(next);
      this.#released += 1;
      this.#arrive(this.#guest, this.#load!.workNs);
    }
    this.#runUntil(untilNs);
  }

  /**
   * The sender works through a row of pieces of `workNs` each. As long as `readyNs` lets it go on at once it does
   * not sleep between two of them, so its server stays busy.
   * Work that takes no time is not done.
   * @param readyNs when piece i may begin, asked when the one before it is done
   * @param done told when piece i was done; false: the rest is not to be done. It may let time pass: of that, the sender takes
   *   what the next piece needs
   */
  work(
    workNs: Nanos,
    pieces: number,
    readyNs: (i: number) => Nanos,
    done: (i: number, atNs: Nanos) => boolean,
  ): void {
    if (workNs === 0) return;
    const { processor, entity } = this.#sender;
    const before = this.#senderFinished;
    const finished = () => this.#senderFinished - before;
    let arrived = Math.round(processor.pending(entity) / workNs);
    for (let i = 0; i < pieces; i++) {
      const atNs = readyNs(i);
      if (atNs > this.#now) {
        const isBegun = finished() > i || processor.pending(entity) < (arrived - i) * workNs - 1;
        if (!isBegun) {
          this.#leave(this.#sender);
          arrived = i;
        }
        this.advanceTo(atNs);
      }
      // The next one is queued already, so that the server does not become idle at the end of this one.
      const line = i === pieces - 1 ? 1 : 2;
      for (; arrived < i + line; arrived++) this.#arrive(this.#sender, workNs);
      while (finished() <= i) {
        this.advanceTo(Math.min(processor.nextEventNs(), this.#nextJobNs()));
      }
      if (!done(i, this.#now)) return;
    }
  }

  /** One piece of the sender's work, which may begin now. @returns when it is done */
  workOnce(workNs: Nanos): Nanos {
    this.work(
      workNs,
      1,
      () => this.#now,
      () => true,
    );
    return this.#now;
  }

  /** How far the guest's program has come, by its own clock. */
  get guestTimeNs(): Nanos {
    if (!this.#load) return this.#clock.programNs(this.#now);
    const { periodNs, workNs, firstNs, lastNs } = this.#load;
    if (this.#finished === this.#released) return Math.max(0, this.#released * periodNs + lastNs);
    const pendingNs = this.#stoppedWorkNs ?? this.#guest.processor.pending(this.#guest.entity);
    const doneNs = (this.#released - this.#finished) * workNs - pendingNs;
    const arrivedNs = (this.#finished + 1) * periodNs;
    return arrivedNs + firstNs + ((lastNs - firstNs) * doneNs) / workNs;
  }

  /** From here on gaps between heartbeats count, and late ones. */
  watchBeats(): void {
    this.#longestGapNs = 0;
    this.#lateBeats = 0;
  }

  stopGuest(): void {
    this.#stoppedWorkNs = this.#leave(this.#guest);
  }

  /**
   * What the guest's client sees if the guest, stopped since `stoppedAtNs`, resumes now with a free CPU.
   * `undefined`: the guest needs no CPU time, so nothing but the stop disturbs its heartbeats.
   */
  outage(
    stoppedAtNs: Nanos | undefined,
  ): { readonly longestGapNs: Nanos; readonly lateHeartbeats: number } | undefined {
    if (!this.#load) return undefined;
    const period = this.#heartbeatPeriodNs;
    const ranUntilNs = stoppedAtNs ?? this.#now;
    const dueNs = this.#clock.ranNs(
      (Math.floor((this.#finished * this.#load.periodNs) / period) + 1) * period,
    );
    const waitsNs = Math.max(0, dueNs - ranUntilNs) + (this.#stoppedWorkNs ?? 0);
    const gapNs = this.#now + waitsNs - this.#lastBeatNs;
    return { longestGapNs: Math.max(this.#longestGapNs, gapNs), lateHeartbeats: this.#lateBeats };
  }

  /** What was delivered against what was promised, so far. */
  servers(): readonly ServerRecord[] {
    for (const processor of this.#processors) processor.flush();
    return this.#supplies.flatMap((supply) => supply.record(this.#now) ?? []);
  }

  /** Who ran when, so far; nothing, if that is not kept. */
  slices(): readonly Slice[] {
    for (const processor of this.#processors) processor.flush();
    return this.#supplies.flatMap((supply) => supply.slices);
  }

  #nextJobNs(): Nanos {
    if (!this.#load || this.#stoppedWorkNs !== undefined) return Number.POSITIVE_INFINITY;
    return this.#clock.ranNs((this.#released + 1) * this.#load.periodNs);
  }

  #runUntil(untilNs: Nanos): void {
    for (const processor of this.#processors) processor.runUntil(untilNs);
    this.#now = untilNs;
  }

  #arrive(place: Place, workNs: Nanos): void {
    if (place.processor.pending(place.entity) === 0) place.supply.changed(this.#now);
    place.processor.arrive(place.entity, workNs);
  }

  #leave(place: Place): Nanos {
    place.processor.flush();
    const left = place.processor.withdraw(place.entity);
    if (left > 0) place.supply.changed(this.#now);
    return left;
  }

  #hasFinished(place: Place, atNs: Nanos): void {
    if (place.processor.pending(place.entity) === 0) {
      place.processor.flush();
      place.supply.changed(atNs);
    }
    if (place === this.#sender) {
      this.#senderFinished += 1;
      return;
    }
    this.#finished += 1;
    this.#beat(atNs);
  }

  /** The guest has done a job: the heartbeats that have become due since the one before it leave now. */
  #beat(atNs: Nanos): void {
    const period = this.#heartbeatPeriodNs;
    const arrivedNs = this.#finished * this.#load!.periodNs;
    const first = Math.floor((arrivedNs - this.#load!.periodNs) / period) + 1;
    const last = Math.floor(arrivedNs / period);
    if (first > last) return;
    for (let beat = first; beat <= last; beat++)
      if (atNs - this.#clock.ranNs(beat * period) > period) this.#lateBeats += 1;
    this.#longestGapNs = Math.max(this.#longestGapNs, atNs - this.#lastBeatNs);
    this.#lastBeatNs = atNs;
  }
}

/** Some of the processors, and who runs there; those with a reservation first. */
interface Group {
  readonly scheduler: Scheduler;
  readonly firstProcessor: number;
  readonly processors: number;
  readonly entities: readonly SchedEntity[];
}

function groupsOf(plan: CpuPlan, all: readonly SchedEntity[]): readonly Group[] {
  const homes = new Map<number, Group>();
  for (const kind of ['guest', 'sender'] as const) {
    const scheduler = schedulerOf(plan, kind);
    const home = all.find((entity) => entity.kind === kind)!.processor;
    // The kernel moves threads between those that are shared.
    const isKernels = scheduler === 'none' && home < plan.processors;
    const [firstProcessor, processors] = isKernels ? [0, plan.processors] : [home, 1];
    const entities = all
      .filter(({ processor }) => processor >= firstProcessor && processor < firstProcessor + processors)
      .toSorted((a, b) => +!a.reservation - +!b.reservation);
    homes.set(firstProcessor, { scheduler, firstProcessor, processors, entities });
  }
  return [...homes.values()];
}

function processorsOf(
  { scheduler, processors, entities }: Group,
  listener: ProcessorListener,
): SimulatedProcessors {
  if (scheduler === 'none') {
    return kernelProcessors(
      'eevdf',
      processors,
      entities.map(() => ({})),
      listener,
    );
  }
  const processor = new Processor(ruleOf[scheduler] ?? 'hard', listener);
  for (const { reservation } of entities) {
    if (reservation) processor.addServer(reservation);
    else processor.addBestEffort();
  }
  return processor;
}
