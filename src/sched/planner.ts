import type { CbsRule, Server } from '../core/cpu/cbs.ts';
import { NONE } from '../core/cpu/earliest-first.ts';
import type { RoundRobin } from '../core/cpu/round-robin.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { type DispatchQueue, linked, NOBODY, QUEUE_LENGTH, taken } from './dispatch-queue.ts';
import type { ThreadSlot } from './scheduler-memory.ts';

/**
 * A thread that has the processor is not waited for if it lies in a long system call, or if the operating system runs
 * something else in its place: when it comes so much too late to the end of its budget, or has not stopped so long
 * after it should, another one is let go on beside it.
 */
const LATE_NS = NANOS_PER_MILLISECOND;
const ANSWER_NS = NANOS_PER_MILLISECOND / 4;

export interface PlannedEntity {
  readonly slot: ThreadSlot;
  readonly server: Server | undefined;
  isAwake: boolean;
  /** CPU time that was charged. */
  chargedNs: Nanos;
  /** It was not waited for, and has not been heard of since. */
  isLost: boolean;
  /** It has got its place in the plan that is being made. */
  isPlanned: boolean;
}

/** A processor in name only: the operating system chooses the real one. */
export interface PlannedProcessor {
  /** Ties of deadlines go to the first. */
  readonly entities: readonly number[];
  /** Of those without a reservation. */
  readonly roundRobin: RoundRobin;
  readonly queue: DispatchQueue;
  /** Who has taken the processor, or `NONE`. */
  holder: number;
  /** When the holder was last heard of. */
  heardNs: Nanos;
}

/**
 * Plans who runs one after another if nothing else happens: the holder, though it may have to stop now; the servers
 * that have budget, or will have it by then, by earliest deadline; the one that is next by round robin, until the next budget of
 * a server; and that server. Nobody is in the queue twice, as each has one limit. Whoever is the last wakes the dispatcher
 * when it stops.
 */
export class Planner {
  readonly #rule: CbsRule;
  readonly #entities: readonly PlannedEntity[];
  /** The plan that is being made: the word of the queue, and how many are in it. */
  #word = NOBODY;
  #length = 0;
  /** When all in it have had what they may have. */
  #endNs: Nanos = 0;
  /** Of the servers in it, the latest deadline. */
  #latestNs: Nanos = 0;
  /** When to plan again. */
  #nextNs: Nanos = 0;

  constructor(rule: CbsRule, entities: readonly PlannedEntity[]) {
    this.#rule = rule;
    this.#entities = entities;
  }

  /** For the queue. */
  get word(): number {
    return this.#word;
  }

  /** When to plan again, if nobody wakes the dispatcher before. */
  get nextNs(): Nanos {
    return this.#nextNs;
  }

  plan(processor: PlannedProcessor, now: Nanos): void {
    const { entities, holder, roundRobin } = processor;
    this.#word = NOBODY;
    this.#length = 0;
    this.#endNs = now;
    this.#latestNs = Number.NEGATIVE_INFINITY;
    this.#nextNs = Number.POSITIVE_INFINITY;
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
    if (holder !== NONE) this.#word = taken(this.#word);
    if (mustStop && first !== NONE) this.#planAgainAt(this.#entities[holder]!.slot.untilNs + ANSWER_NS);
    else if (this.#length > 1 || this.hasRival(processor, first)) this.#planAgainAt(this.#endNs + LATE_NS);
  }

  /** Whether the holder should have stopped, and somebody waits for it. */
  isOverdue(processor: PlannedProcessor, now: Nanos): boolean {
    const { holder, heardNs } = processor;
    const { slot } = this.#entities[holder]!;
    const dueNs = Math.min(heardNs + this.#mayRunNs(processor, holder) + LATE_NS, slot.untilNs + ANSWER_NS);
    return now >= dueNs && this.hasRival(processor, holder);
  }

  /** Whether anybody else could run. */
  hasRival({ entities }: PlannedProcessor, than: number): boolean {
    for (const index of entities) {
      const { server, isAwake, isLost } = this.#entities[index]!;
      if (index !== than && isAwake && !isLost && (!server || server.phase === 'ready')) return true;
    }
    return false;
  }

  /** Of the servers without a place that will have budget by the end of the queue, the first; or `NONE`. */
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
    this.#word = linked(this.#word, this.#length++, holder);
  }

  /**
   * The one that is next by round robin stops at the next budget, so that the dispatcher is needed only if it does not.
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

  /** A budget that comes while a less urgent server runs does not wait for that one; other budgets wait for the end of the queue. */
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
    this.#nextNs = Math.min(this.#nextNs, ns);
  }

  /** A hard server stops at the end of its budget; one without a reservation at the end of its quantum, if others wait. */
  #link(processor: PlannedProcessor, index: number, fromNs: Nanos, untilNs: Nanos): void {
    if (this.#length === QUEUE_LENGTH) return;
    const entity = this.#entities[index]!;
    const { slot, server, chargedNs } = entity;
    entity.isPlanned = true;
    const mayRunNs = this.#mayRunNs(processor, index);
    const stops = server ? this.#rule === 'hard' : this.hasRival(processor, index);
    slot.limit(chargedNs + mayRunNs, stops);
    slot.fromNs = fromNs;
    slot.untilNs = untilNs;
    this.#word = linked(this.#word, this.#length++, index);
    this.#endNs = Math.max(this.#endNs, fromNs) + Math.max(0, mayRunNs);
  }

  /** With the next budget, if it waits for that. */
  #mayRunNs({ roundRobin }: PlannedProcessor, index: number): Nanos {
    const { server } = this.#entities[index]!;
    if (!server) return roundRobin.leftNs;
    return server.remainingNs + (server.phase === 'throttled' ? server.budgetNs : 0);
  }
}

/** When it has budget. */
function budgetFromNs({ phase, deadlineNs }: Server): Nanos {
  if (phase === 'idle') return Number.POSITIVE_INFINITY;
  return phase === 'throttled' ? deadlineNs : Number.NEGATIVE_INFINITY;
}

/** Its deadline once it has budget; and if it uses that up, its next budget comes then. */
function dueNs({ phase, deadlineNs, periodNs }: Server): Nanos {
  return phase === 'throttled' ? deadlineNs + periodNs : deadlineNs;
}
