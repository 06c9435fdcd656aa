import type { Nanos } from '../units.ts';
import { NONE } from './earliest-first.ts';
import type { EntityId } from './processor.ts';
import type { Reservation } from './reservation.ts';
import type { RunQueue } from './run-queue.ts';

/** sched_setscheduler(2). `fifo` runs until it sleeps or somebody more urgent wakes; `rr` takes turns with its equals. */
export interface RealTimeEntity {
  readonly policy: 'fifo' | 'rr';
  /** 1 to 99, the highest runs. */
  readonly priority: number;
  /** rt.time_slice, which a sleeper keeps. */
  ticksLeft: number;
}

export interface RealTimeTimes {
  /** RR_TIMESLICE: 100 ms. */
  readonly quantumNs: Nanos;
  /** sched_rt_runtime_us in every sched_rt_period_us; null (−1): no limit. */
  readonly limit: Reservation | null;
  /** 1/HZ */
  readonly tickNs: Nanos;
}

/** RR counts its quantum in ticks. */
export function quantumTicks({ quantumNs, tickNs }: RealTimeTimes): number {
  return Math.max(1, Math.round(quantumNs / tickNs));
}

/**
 * The real-time class of Linux on one processor (kernel/sched/rt.c): the highest priority runs, among equals the one
 * that came first. One that is interrupted stays first; an `rr` whose quantum is used up goes to the tail (task_tick_rt).
 *
 * Throttled (sched_rt_runtime_exceeded) from the tick at which more has been used than the limit, until the period in which
 * that is made up for (do_sched_rt_period_timer). Nothing is borrowed from other processors (RT_RUNTIME_SHARE is off).
 */
export class RealTimeQueue implements RunQueue {
  readonly #entities: readonly RealTimeEntity[];
  readonly #times: RealTimeTimes;
  /** By urgency, then in the order of their turns. */
  readonly #queue: EntityId[] = [];
  #usedNs: Nanos = 0;
  #periodEndNs: Nanos;
  #isThrottled = false;
  running: EntityId = NONE;

  constructor(entities: readonly RealTimeEntity[], times: RealTimeTimes) {
    this.#entities = entities;
    this.#times = times;
    this.#periodEndNs = times.limit?.periodNs ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#queue.length;
  }

  get nextChangeNs(): Nanos {
    return this.#usedNs > 0 ? this.#periodEndNs : Number.POSITIVE_INFINITY;
  }

  holds(id: EntityId): boolean {
    return this.#queue.includes(id);
  }

  urgencyOf(id: EntityId): number {
    return this.#entities[id]!.priority;
  }

  waiting(mayMove: (entity: EntityId) => boolean): EntityId {
    return this.#queue.find((id) => id !== this.running && mayMove(id)) ?? NONE;
  }

  /** At the tail of its priority. */
  join(id: EntityId): void {
    const { priority } = this.#entities[id]!;
    const behind = this.#queue.findIndex((other) => this.#entities[other]!.priority < priority);
    this.#queue.splice(behind === -1 ? this.#queue.length : behind, 0, id);
  }

  leave(id: EntityId): void {
    const place = this.#queue.indexOf(id);
    if (place !== -1) this.#queue.splice(place, 1);
  }

  pass(ranNs: Nanos, nowNs: Nanos): void {
    if (this.running !== NONE) this.#usedNs += ranNs;
    const { limit } = this.#times;
    for (; limit && this.#periodEndNs <= nowNs; this.#periodEndNs += limit.periodNs) {
      this.#usedNs = Math.max(0, this.#usedNs - limit.budgetNs);
      if (this.#usedNs < limit.budgetNs) this.#isThrottled = false;
    }
  }

  tick(): void {
    const { limit } = this.#times;
    if (limit && this.#usedNs > limit.budgetNs) this.#isThrottled = true;
    const entity = this.#entities[this.running];
    if (entity?.policy !== 'rr' || --entity.ticksLeft > 0) return;
    entity.ticksLeft = quantumTicks(this.#times);
    this.leave(this.running);
    this.join(this.running);
  }

  choose(): void {
    this.running = this.#isThrottled ? NONE : (this.#queue[0] ?? NONE);
  }
}
