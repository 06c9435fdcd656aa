import type { Nanos } from '../units.ts';
import { NONE } from './earliest-first.ts';
import { fairWeight, NICE_0_WEIGHT } from './fair-weight.ts';
import type { EntityId } from './processor.ts';
import type { RunQueue } from './run-queue.ts';

/** What Linux sets at boot. */
export interface FairTimes {
  /** sysctl_sched_base_slice: what one asks for at a time. */
  readonly sliceNs: Nanos;
  /** TICK_NSEC: 1/HZ. */
  readonly tickNs: Nanos;
}

/** An entity of the fair class, wherever it is; times are virtual but `slice`. */
export interface FairEntity {
  readonly weight: number;
  vruntime: number;
  deadline: number;
  /** How far it was behind (above 0) or ahead when it left a queue. */
  lag: number;
  /** vprot: up to here the one that runs is not interrupted while it is eligible. */
  protectedUntil: number;
  /** sched_delayed: asleep, and in the queue until its lag is made up for. */
  isDelayed: boolean;
  /** rel_deadline: `deadline` counts from `vruntime`, because it is between two queues. */
  isBetween: boolean;
}

export function fairEntity(nice: number): FairEntity {
  const weight = fairWeight(nice);
  return { weight, vruntime: 0, deadline: 0, lag: 0, protectedUntil: 0, isDelayed: false, isBetween: false };
}

/**
 * The fair class of Linux from 6.12 on, one processor, as kernel/sched/fair.c has it: earliest eligible virtual deadline first
 * (Stoica & Abdel-Wahab 1995). With V = Σ w·v / Σ w over the queue, an entity is eligible if v ≤ V, and of those that are,
 * the earliest deadline runs (pick_eevdf). v grows by 1024/w for each ns of running; when it reaches the deadline d, the next
 * is d = v + 1024/w · slice (update_deadline).
 *
 * Who runs is asked again when somebody wakes, and otherwise at ticks alone, so a slice ends up to a tick late. Times
 * are doubles, where the kernel rounds to whole ns.
 */
export class EevdfQueue implements RunQueue {
  readonly nextChangeNs = Number.POSITIVE_INFINITY;
  readonly #entities: readonly FairEntity[];
  readonly #times: FairTimes;
  readonly #queued = new Set<EntityId>();
  /** Whose turn is over, or who is to be asked: TIF_NEED_RESCHED. */
  #isDue = false;
  /** V of the queue when it became empty: where the next one is placed. */
  #lastAverage = 0;
  running: EntityId = NONE;

  constructor(entities: readonly FairEntity[], times: FairTimes) {
    this.#entities = entities;
    this.#times = times;
  }

  get size(): number {
    let size = 0;
    for (const id of this.#queued) if (!this.#entities[id]!.isDelayed) size += 1;
    return size;
  }

  holds(id: EntityId): boolean {
    return this.#queued.has(id);
  }

  urgencyOf(): number {
    return 1;
  }

  waiting(mayMove: (entity: EntityId) => boolean): EntityId {
    for (const id of this.#queued) {
      if (id !== this.running && !this.#entities[id]!.isDelayed && mayMove(id)) return id;
    }
    return NONE;
  }

  /** enqueue_entity, place_entity, requeue_delayed_entity; then wakeup_preempt_fair */
  join(id: EntityId, wakes: boolean): void {
    const entity = this.#entities[id]!;
    this.#updateDeadline();
    if (this.#queued.has(id)) {
      this.#wakeDelayed(id, entity);
    } else {
      this.#place(entity);
      this.#queued.add(id);
    }
    if (this.running === NONE || (wakes && this.#earliestEligible() === id)) this.#isDue = true;
  }

  /** dequeue_entity: one that sleeps ahead of the others stays until they have caught up (DELAY_DEQUEUE). */
  leave(id: EntityId, sleeps: boolean): void {
    const entity = this.#entities[id]!;
    if (!this.#queued.has(id)) return;
    this.#updateDeadline();
    if (sleeps && !this.#isEligible(entity)) entity.isDelayed = true;
    else this.#remove(id, entity, sleeps);
    if (id === this.running) this.#isDue = true;
  }

  pass(ranNs: Nanos): void {
    if (this.running === NONE) return;
    const entity = this.#entities[this.running]!;
    entity.vruntime += this.#virtual(ranNs, entity);
  }

  /** entity_tick, update_curr */
  tick(): void {
    if (this.running === NONE) return;
    const isOver = this.#updateDeadline();
    if (this.#queued.size > 1 && (isOver || !this.#isProtected(this.#entities[this.running]!)))
      this.#isDue = true;
  }

  /** pick_next_entity, set_next_entity */
  choose(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    this.#updateDeadline();
    let next = this.#earliestEligible();
    // A sleeper whose turn comes has been waited for; it leaves with nothing owed to it (DELAY_ZERO).
    for (; next !== NONE && this.#entities[next]!.isDelayed; next = this.#earliestEligible()) {
      const entity = this.#entities[next]!;
      this.#remove(next, entity, true);
      entity.isDelayed = false;
      entity.lag = Math.min(0, entity.lag);
      if (next === this.running) this.running = NONE;
    }
    if (next !== NONE && next !== this.running) {
      const entity = this.#entities[next]!;
      entity.protectedUntil = entity.deadline;
    }
    this.running = next;
  }

  /** place_entity: v = V − lag·(W + w)/W, so that its lag is the same once it counts in V itself. */
  #place(entity: FairEntity): void {
    const total = this.#totalWeight();
    const lag = total === 0 ? 0 : (entity.lag * (total + entity.weight)) / total;
    entity.vruntime = this.#average() - lag;
    entity.deadline = entity.isBetween
      ? entity.deadline + entity.vruntime
      : entity.vruntime + this.#virtual(this.#times.sliceNs, entity);
    entity.isBetween = false;
  }

  /** What it was owed meanwhile is forgotten (DELAY_ZERO). */
  #wakeDelayed(id: EntityId, entity: FairEntity): void {
    entity.isDelayed = false;
    if (this.#average() <= entity.vruntime) return;
    this.#queued.delete(id);
    entity.lag = 0;
    this.#place(entity);
    this.#queued.add(id);
  }

  #remove(id: EntityId, entity: FairEntity, sleeps: boolean): void {
    const { sliceNs, tickNs } = this.#times;
    // update_entity_lag
    const most = this.#virtual(Math.max(2 * sliceNs, tickNs), entity);
    entity.lag = Math.max(-most, Math.min(most, this.#average() - entity.vruntime));
    if (!sleeps) {
      entity.deadline -= entity.vruntime;
      entity.isBetween = true;
    }
    this.#lastAverage = this.#average();
    this.#queued.delete(id);
  }

  /** @returns whether what the one that runs has asked for is used up */
  #updateDeadline(): boolean {
    if (this.running === NONE) return false;
    const entity = this.#entities[this.running]!;
    if (entity.vruntime < entity.deadline) return false;
    entity.deadline = entity.vruntime + this.#virtual(this.#times.sliceNs, entity);
    return true;
  }

  /** pick_eevdf with RUN_TO_PARITY: who runs goes on while it is eligible and its slice is not used up. */
  #earliestEligible(): EntityId {
    if (this.#queued.size === 1) return this.#queued.values().next().value!;
    const average = this.#average();
    const running = this.#queued.has(this.running) ? this.#entities[this.running] : undefined;
    // An average of doubles may fall below all of what it is an average of.
    const isEligible = ({ vruntime }: FairEntity) => vruntime <= average + 1e-6;
    if (running && isEligible(running) && this.#isProtected(running)) return this.running;
    let best = NONE;
    for (const id of this.#queued) {
      const entity = this.#entities[id]!;
      if (!isEligible(entity)) continue;
      if (best === NONE || this.#isBefore(id, best)) best = id;
    }
    return best;
  }

  /** Of equal deadlines the one that does not run. */
  #isBefore(id: EntityId, best: EntityId): boolean {
    const difference = this.#entities[id]!.deadline - this.#entities[best]!.deadline;
    return difference < 0 || (difference === 0 && best === this.running);
  }

  #isProtected({ vruntime, protectedUntil }: FairEntity): boolean {
    return vruntime < protectedUntil;
  }

  #isEligible({ vruntime }: FairEntity): boolean {
    return vruntime <= this.#average() + 1e-6;
  }

  /** V, avg_vruntime */
  #average(): number {
    const total = this.#totalWeight();
    if (total === 0) return this.#lastAverage;
    let sum = 0;
    for (const id of this.#queued) {
      const { weight, vruntime } = this.#entities[id]!;
      sum += weight * (vruntime - this.#lastAverage);
    }
    return this.#lastAverage + sum / total;
  }

  #totalWeight(): number {
    let total = 0;
    for (const id of this.#queued) total += this.#entities[id]!.weight;
    return total;
  }

  /** calc_delta_fair */
  #virtual(ns: Nanos, { weight }: FairEntity): number {
    return (ns * NICE_0_WEIGHT) / weight;
  }
}
