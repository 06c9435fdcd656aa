import type { CbsRule, Server } from '../core/cpu/cbs.ts';
import { NONE } from '../core/cpu/earliest-first.ts';
import type { RoundRobin } from '../core/cpu/round-robin.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { type DispatchQueue, linked, NOBODY, QUEUE_LENGTH, taken } from './dispatch-queue.ts';
import type { ThreadSlot } from './scheduler-memory.ts';

/**
 * A thread that holds the processor may be in a long system call, or the operating system may run something else in its
 * place. If it exhausts its budget later than expected by LATE_NS, or has not stopped ANSWER_NS after it should have,
 * the dispatcher counts an overrun and schedules another thread.
 */
const LATE_NS = NANOS_PER_MILLISECOND;
const ANSWER_NS = NANOS_PER_MILLISECOND / 4;

export interface PlannedEntity {
  readonly slot: ThreadSlot;
  readonly server: Server | undefined;
  isAwake: boolean;
  /** CPU time that has been charged to its budget or quantum. */
  chargedNs: Nanos;
  /** It has overrun, and has used no CPU time since, as far as is known. */
  isLost: boolean;
  /** It is in the plan that is being made. */
  isPlanned: boolean;
}

/** A logical processor: the operating system chooses the real one. */
export interface PlannedProcessor {
  /** Of two with the same deadline, the first one runs first. */
  readonly entities: readonly number[];
  /** The threads without a reservation. */
  readonly roundRobin: RoundRobin;
  readonly queue: DispatchQueue;
  /** The thread that has taken the processor, or `NONE`. */
  holder: number;
  /** When the holder took the processor, or was last charged. */
  heardNs: Nanos;
}

/**
 * Plans which threads run one after another if nothing else happens: the holder, though it may have to stop now; the
 * servers that have budget, or will have it by then, by earliest deadline; the thread that is next by round robin, until
 * the next replenishment of a server; and that server. No thread is in the queue twice, because each has one limit. The
 * last one wakes the dispatcher when it stops.
 */
export class Planner {
  readonly #rule: CbsRule;
  readonly #entities: readonly PlannedEntity[];
  /** The plan, as a word of the queue. */
  word = NOBODY;
  /** How many threads are in it. */
  #length = 0;
  /** When all threads in it have used what they may use. */
  #endNs: Nanos = 0;
  /** The latest deadline of the servers in it. */
  #latestNs: Nanos = 0;
  /** When to plan again, unless a thread wakes the dispatcher before. */
  nextNs: Nanos = 0;

  constructor(rule: CbsRule, entities: readonly PlannedEntity[]) {
    this.#rule = rule;
    this.#entities = entities;
  }

  plan(processor: PlannedProcessor, now: Nanos): void {
    const { entities, holder, roundRobin } = processor;
    this.word = NOBODY;
    this.#length = 0;
    this.#endNs = now;
    this.#latestNs = Number.NEGATIVE_INFINITY;
    this.nextNs = Number.POSITIVE_INFINITY;
    for (const index of entities) this.#entities[index]!.isPlanned = false;
    const earliest = this.#earliest(processor);
    const first = earliest === NONE ? roundRobin.first : earliest;
    const mustStop = holder !== NONE && holder !== first;
    if (mustStop) this.#stop(holder, now);
    for (let index = earliest; index !== NONE; index = this.#earliest(processor)) {
      this.#link(processor, index, budgetFromNs(this.#entities[index]!.server!), Number.POSITIVE_INFINITY);
      this.#latestNs = Math.max(this.#latestNs, dueNs(this.#entities[index]!.server!));
    }
    const fillsGap = this.#linkUnreserved(processor);
    this.#awaitBudgets(processor, now, fillsGap);
    if (holder !== NONE) this.word = taken(this.word);
    if (mustStop && first !== NONE) this.#planAgainAt(this.#entities[holder]!.slot.untilNs + ANSWER_NS);
    else if (this.#length > 1 || this.hasRival(processor, first)) this.#planAgainAt(this.#endNs + LATE_NS);
  }

  /** Whether the holder should have stopped, and another thread waits for the processor. */
  isOverdue(processor: PlannedProcessor, now: Nanos): boolean {
    const { holder, heardNs } = processor;
    const { slot } = this.#entities[holder]!;
    const dueNs = Math.min(heardNs + this.#mayRunNs(processor, holder) + LATE_NS, slot.untilNs + ANSWER_NS);
    return now >= dueNs && this.hasRival(processor, holder);
  }

  /** Whether another thread than this one could run. */
  hasRival({ entities }: PlannedProcessor, than: number): boolean {
    for (const index of entities) {
      const { server, isAwake, isLost } = this.#entities[index]!;
      if (index !== than && isAwake && !isLost && (!server || server.phase === 'ready')) return true;
    }
    return false;
  }

  /** Of the servers not yet planned that will have budget by the end of the queue, the one with the earliest deadline; or `NONE`. */
  #earliest({ entities }: PlannedProcessor): number {
    let earliest = NONE;
    let earliestNs = Number.POSITIVE_INFINITY;
    if (this.#length === QUEUE_LENGTH) return NONE;
    for (const index of entities) {
      const { server, isLost, isPlanned } = this.#entities[index]!;
      if (!server || isLost || isPlanned || budgetFromNs(server) > this.#endNs) continue;
      if (dueNs(server) >= earliestNs) continue;
      earliest = index;
      earliestNs = dueNs(server);
    }
    return earliest;
  }

  #stop(holder: number, now: Nanos): void {
    const entity = this.#entities[holder]!;
    entity.isPlanned = true;
    entity.slot.untilNs = Math.min(entity.slot.untilNs, now);
    this.word = linked(this.word, this.#length++, holder);
  }

  /**
   * The thread that is next by round robin stops at the next replenishment, so that the dispatcher is needed only if it
   * does not.
   * @returns whether there is time for it before that
   */
  #linkUnreserved(processor: PlannedProcessor): boolean {
    const last = processor.roundRobin.first;
    if (last === NONE || this.#entities[last]!.isPlanned || this.#length === QUEUE_LENGTH) return false;
    let nextServer = NONE;
    let budgetAtNs = Number.POSITIVE_INFINITY;
    for (const index of processor.entities) {
      const { server, isLost, isPlanned } = this.#entities[index]!;
      if (!server || server.phase === 'idle' || isLost) continue;
      const nextNs = isPlanned ? dueNs(server) : server.deadlineNs;
      if (nextNs >= budgetAtNs) continue;
      nextServer = isPlanned ? NONE : index;
      budgetAtNs = nextNs;
    }
    if (budgetAtNs <= this.#endNs) return false;
    this.#link(processor, last, Number.NEGATIVE_INFINITY, budgetAtNs);
    if (nextServer !== NONE) this.#link(processor, nextServer, budgetAtNs, Number.POSITIVE_INFINITY);
    this.#planAgainAt(budgetAtNs + ANSWER_NS);
    return true;
  }

  /** A replenishment preempts a server with a later deadline; any other replenishment waits for the end of the queue. */
  #awaitBudgets({ entities }: PlannedProcessor, now: Nanos, fillsGap: boolean): void {
    const endNs = this.#length === 0 ? now : this.#endNs + LATE_NS;
    for (const index of entities) {
      const { server, isLost, isPlanned } = this.#entities[index]!;
      if (!server || server.phase === 'idle' || isLost) continue;
      const { phase, deadlineNs, periodNs } = server;
      const lastNs = isPlanned ? dueNs(server) : deadlineNs;
      for (let ns = deadlineNs; ns <= lastNs; ns += periodNs) {
        if (ns > now && ns + periodNs < this.#latestNs) this.#planAgainAt(ns);
      }
      if (phase === 'throttled' && !isPlanned && !fillsGap) this.#planAgainAt(Math.max(deadlineNs, endNs));
    }
  }

  #planAgainAt(ns: Nanos): void {
    this.nextNs = Math.min(this.nextNs, ns);
  }

  /** A hard server stops when its budget is exhausted; a thread without a reservation at the end of its quantum, if others wait. */
  #link(processor: PlannedProcessor, index: number, fromNs: Nanos, untilNs: Nanos): void {
    if (this.#length === QUEUE_LENGTH) return;
    const entity = this.#entities[index]!;
    const { slot, server, chargedNs } = entity;
    entity.isPlanned = true;
    const mayRunNs = this.#mayRunNs(processor, index);
    const stops = server ? this.#rule === 'hard' : this.hasRival(processor, index);
    slot.limit(chargedNs + mayRunNs, stops, fromNs);
    slot.untilNs = untilNs;
    this.word = linked(this.word, this.#length++, index);
    this.#endNs = Math.max(this.#endNs, fromNs) + Math.max(0, mayRunNs);
  }

  /** The CPU time it may use; a throttled server's next budget is included. */
  #mayRunNs({ roundRobin }: PlannedProcessor, index: number): Nanos {
    const { server } = this.#entities[index]!;
    if (!server) return roundRobin.leftNs;
    return server.remainingNs + (server.phase === 'throttled' ? server.budgetNs : 0);
  }
}

/** When a server has budget. */
function budgetFromNs({ phase, deadlineNs }: Server): Nanos {
  if (phase === 'idle') return Number.POSITIVE_INFINITY;
  return phase === 'throttled' ? deadlineNs : Number.NEGATIVE_INFINITY;
}

/** A server's deadline once it has budget. If it exhausts that budget, the next replenishment is then. */
function dueNs({ phase, deadlineNs, periodNs }: Server): Nanos {
  return phase === 'throttled' ? deadlineNs + periodNs : deadlineNs;
}
