import { InvariantViolated } from '../invariants.ts';
import type { Nanos } from '../units.ts';
import {
  type CbsRule,
  charge,
  type DueReservation,
  idleServer,
  nextBudgetAtNs,
  replenish,
  type Server,
  sleep,
  wake,
} from './cbs.ts';
import { EarliestFirst, NONE } from './earliest-first.ts';
import { Jobs } from './jobs.ts';
import { RoundRobin } from './round-robin.ts';

/** What competes for a processor, by its index in the order of adding. */
export type EntityId = number;

export interface ProcessorListener {
  /** The entity has had a processor from start to end; told once it stops, or at `flush`. */
  slice?(entity: EntityId, startNs: Nanos, endNs: Nanos, processor: number): void;
  /** The first job of the entity is done. */
  finished?(entity: EntityId, atNs: Nanos): void;
  /** The server has another deadline from now on. */
  deadline?(entity: EntityId, deadlineNs: Nanos): void;
}

/** What all simulated processors can do, whoever decides there who runs. */
export type SimulatedProcessors = Pick<
  Processor,
  'now' | 'arrive' | 'withdraw' | 'nextEventNs' | 'runUntil' | 'served' | 'pending' | 'flush'
>;

/** How long one best-effort entity runs before it is another one's turn. */
export const FAIR_QUANTUM_NS: Nanos = 4_000_000;

/** Work or budget that is no more than this is what rounding left of it, when times are not whole. */
const ROUNDING_NS = 1e-6;

/** Which task goes first: the one whose first job is due first, so long after its arrival; or the one of the least rank. */
type TaskOrder = { readonly dueAfterNs: Nanos } | { readonly rank: number };

interface Entity {
  readonly jobs: Jobs;
  readonly server: Server | undefined;
  /** Of a task. */
  readonly order: TaskOrder | undefined;
  servedNs: Nanos;
  /** The server's deadline that the listener knows. */
  toldDeadlineNs: Nanos;
}

/**
 * One processor, event by event and exact. Servers and tasks run earliest deadline first (ties: the lower index),
 * preempting at once; best-effort entities take turns in what these leave, first in, first out: one whose quantum
 * is used up goes to the tail, one that was preempted keeps its place and the rest of its quantum.
 *
 * At one instant jobs are completed first, then budgets exhausted and replenished; then come arrivals, which the
 * caller makes after `runUntil` that instant; then the processor is given to whoever is first. So who runs is no
 * state of its own: it is the first of the ready, or else of those whose turn comes.
 *
 * Of several processors under global EDF, as SCHED_DEADLINE has them (kernel/sched/deadline.c: push_dl_task,
 * pull_dl_task), each is given to one of the first; who goes on running stays where it is. Best effort is there on one alone.
 */
export class Processor {
  readonly #rule: CbsRule;
  readonly #listener: ProcessorListener;
  readonly #entities: Entity[] = [];

  #now: Nanos = 0;
  /** Servers and tasks with work and, if servers, budget; by deadline. */
  readonly #ready = new EarliestFirst();
  /** Servers with work and no budget, by the instant at which they get the next one. */
  readonly #throttled = new EarliestFirst();
  /** Best-effort entities with work. */
  readonly #turns: RoundRobin;

  /** Who runs, as many as there are processors, or `NONE`; as of the last `#choose`. */
  readonly #running: EntityId[];
  /** By processor: whose slice is open, or `NONE`, and since when. */
  readonly #sliceOf: EntityId[];
  readonly #sliceStartNs: Nanos[];

  /** @param count how many processors there are */
  constructor(
    rule: CbsRule,
    listener: ProcessorListener = {},
    quantumNs: Nanos = FAIR_QUANTUM_NS,
    count = 1,
  ) {
    this.#rule = rule;
    this.#listener = listener;
    this.#turns = new RoundRobin(quantumNs);
    this.#running = new Array<EntityId>(count).fill(NONE);
    this.#sliceOf = new Array<EntityId>(count).fill(NONE);
    this.#sliceStartNs = new Array<Nanos>(count).fill(0);
  }

  /** A server under the processor's rule. */
  addServer(reservation: DueReservation): EntityId {
    return this.#add(idleServer(reservation), undefined);
  }

  /** Plain EDF: a job that arrives at t is due at t + `dueAfterNs`. */
  addTask(dueAfterNs: Nanos): EntityId {
    return this.#add(undefined, { dueAfterNs });
  }

  /** A task of a fixed priority, the least rank first; not beside servers and tasks that have deadlines. */
  addRankedTask(rank: number): EntityId {
    return this.#add(undefined, { rank });
  }

  /** @throws RangeError there is more than one processor */
  addBestEffort(): EntityId {
    if (this.#running.length > 1) throw new RangeError('best effort on several processors');
    return this.#add(undefined, undefined);
  }

  get now(): Nanos {
    return this.#now;
  }

  /** A job of so much work arrives now, behind the entity's earlier ones. Infinity: it never finishes. */
  arrive(id: EntityId, workNs: Nanos): void {
    const { jobs, server, order } = this.#entities[id]!;
    const wasIdle = jobs.isEmpty;
    if (wasIdle && workNs <= ROUNDING_NS) {
      this.#listener.finished?.(id, this.#now);
      return;
    }
    jobs.add(workNs, this.#now);
    if (!wasIdle) return;
    if (server) wake(this.#rule, server, this.#now);
    else if (!order) this.#turns.join(id);
    this.#enqueue(id);
  }

  /** All unfinished work of the entity leaves. Returns how much it was. */
  withdraw(id: EntityId): Nanos {
    const { jobs, server } = this.#entities[id]!;
    const pendingNs = jobs.pendingNs;
    jobs.clear();
    if (server) sleep(server);
    this.#turns.leave(id);
    this.#enqueue(id);
    return pendingNs;
  }

  /** The next instant at which anything happens if nothing arrives: a job, budget or quantum ends, or a budget comes. */
  nextEventNs(): Nanos {
    this.#choose();
    let next = this.#throttled.firstKey;
    for (const running of this.#running) {
      if (running === NONE) break;
      const { jobs, server, order } = this.#entities[running]!;
      let mayRunNs = jobs.firstWorkNs;
      if (server) mayRunNs = Math.min(mayRunNs, server.remainingNs);
      else if (!order) mayRunNs = Math.min(mayRunNs, this.#turns.leftNs);
      next = Math.min(next, this.#now + mayRunNs);
    }
    return next;
  }

  /** Lets time pass; what happens at `untilNs` has happened afterwards. */
  runUntil(untilNs: Nanos): void {
    for (let next = this.nextEventNs(); next <= untilNs; next = this.nextEventNs()) this.#advance(next);
    if (untilNs > this.#now) this.#advance(untilNs);
  }

  /** CPU time that the entity has received. */
  served(id: EntityId): Nanos {
    return this.#entities[id]!.servedNs;
  }

  /** Unfinished work of the entity. */
  pending(id: EntityId): Nanos {
    return this.#entities[id]!.jobs.pendingNs;
  }

  /** The state of a server, charged up to now. */
  server(id: EntityId): Readonly<Server> | undefined {
    return this.#entities[id]!.server;
  }

  /** Tells of the slices that are open; what the same entities run from now on will be others. */
  flush(): void {
    for (let processor = 0; processor < this.#sliceOf.length; processor++) this.#closeSlice(processor);
  }

  #add(server: Server | undefined, order: TaskOrder | undefined): EntityId {
    const toldDeadlineNs = Number.NEGATIVE_INFINITY;
    return this.#entities.push({ jobs: new Jobs(), server, order, servedNs: 0, toldDeadlineNs }) - 1;
  }

  /** @returns the earliest deadline of those that do not run */
  #choose(): Nanos {
    const next = this.#ready.firsts(this.#running);
    if (this.#running[0] === NONE) this.#running[0] = this.#turns.first;
    return next;
  }

  /** Passes time up to the next event at most, and makes happen what happens there. */
  #advance(toNs: Nanos): void {
    const ranNs = toNs - this.#now;
    const running = this.#running;
    const next = this.#choose();
    if (ranNs > 0) this.#switch(next);
    this.#now = toNs;
    for (const id of running) if (id !== NONE) this.#hasRun(id, ranNs);
    while (this.#throttled.firstKey <= toNs) {
      const id = this.#throttled.first;
      replenish(this.#rule, this.#entities[id]!.server!, toNs);
      this.#enqueue(id);
    }
  }

  /** Gives the processors to those that run, as far as they have none. Who has a deadline is due no later than `next`. */
  #switch(next: Nanos): void {
    const running = this.#running;
    const sliceOf = this.#sliceOf;
    for (let processor = 0; processor < sliceOf.length; processor++) {
      if (!running.includes(sliceOf[processor]!)) this.#closeSlice(processor);
    }
    for (const id of running) {
      if (id === NONE || sliceOf.includes(id)) continue;
      const processor = sliceOf.indexOf(NONE);
      sliceOf[processor] = id;
      this.#sliceStartNs[processor] = this.#now;
      const entity = this.#entities[id]!;
      if (!entity.server && !entity.order) continue;
      const due = keyOf(entity);
      if (!(due <= next))
        throw new InvariantViolated('edf: the earliest deadline runs', { running: id, due, next });
    }
  }

  #closeSlice(processor: number): void {
    const id = this.#sliceOf[processor]!;
    if (id === NONE) return;
    this.#listener.slice?.(id, this.#sliceStartNs[processor]!, this.#now, processor);
    this.#sliceOf[processor] = NONE;
  }

  #hasRun(id: EntityId, ranNs: Nanos): void {
    const entity = this.#entities[id]!;
    const { jobs, server, order } = entity;
    entity.servedNs += ranNs;
    jobs.work(ranNs);
    let finished = 0;
    for (; !jobs.isEmpty && this.#isUsedUp(jobs.firstWorkNs); finished++) jobs.finishFirst();
    if (server) {
      if (jobs.isEmpty) sleep(server);
      const usedUp = this.#isUsedUp(server.remainingNs - ranNs);
      charge(this.#rule, server, usedUp ? server.remainingNs : ranNs, this.#now);
    } else if (!order) {
      this.#turns.spend(ranNs);
      if (jobs.isEmpty) this.#turns.leave(id);
      else if (this.#isUsedUp(this.#turns.leftNs)) this.#turns.pass();
    }
    this.#enqueue(id);
    for (; finished > 0; finished--) this.#listener.finished?.(id, this.#now);
  }

  /** Also when so little is left that it would end at this same instant: time must move on. */
  #isUsedUp(leftNs: Nanos): boolean {
    return leftNs <= ROUNDING_NS || this.#now + leftNs <= this.#now;
  }

  /** Puts a server or task where it now waits. */
  #enqueue(id: EntityId): void {
    const entity = this.#entities[id]!;
    const { jobs, server, order } = entity;
    if (server) {
      const { phase, deadlineNs } = server;
      if (phase === 'ready') this.#ready.put(id, deadlineNs);
      else this.#ready.remove(id);
      if (phase === 'throttled') this.#throttled.put(id, nextBudgetAtNs(server));
      else this.#throttled.remove(id);
      if (deadlineNs !== entity.toldDeadlineNs) {
        entity.toldDeadlineNs = deadlineNs;
        this.#listener.deadline?.(id, deadlineNs);
      }
    } else if (order) {
      if (jobs.isEmpty) this.#ready.remove(id);
      else this.#ready.put(id, keyOf(entity));
    }
  }
}

/** Of servers and tasks with work the least goes first. */
function keyOf({ server, order, jobs }: Entity): number {
  if (server) return server.deadlineNs;
  return 'rank' in order! ? order.rank : jobs.firstArrivalNs + order!.dueAfterNs;
}
