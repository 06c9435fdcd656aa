import { type CbsRule, charge, idleServer, replenish, sleep, wake } from '../core/cpu/cbs.ts';
import type { SchedEntity } from '../core/cpu/cpu-plan.ts';
import { NONE } from '../core/cpu/earliest-first.ts';
import { FAIR_QUANTUM_NS } from '../core/cpu/processor.ts';
import { RoundRobin } from '../core/cpu/round-robin.ts';
import type { Nanos } from '../core/units.ts';
import { DispatchQueue, frontOf, isTaken } from './dispatch-queue.ts';
import { type PlannedEntity, type PlannedProcessor, Planner } from './planner.ts';
import type { SchedulerMemory } from './scheduler-memory.ts';

/** A thread that is dispatched. Without a reservation it gets a share of the time that the reserved threads leave. */
export type DispatchedEntity = Pick<SchedEntity, 'reservation' | 'processor'>;

/**
 * Decides which thread runs on each processor, one at a time: reserved threads first, by earliest deadline; the others by
 * round robin. It plans ahead as far as it is certain, so that threads hand over to each other without it. Budgets follow
 * the rules of core/cpu; threads report the CPU time they have used. It allocates nothing after its constructor.
 */
export class Dispatcher {
  readonly #memory: SchedulerMemory;
  readonly #rule: CbsRule;
  readonly #entities: readonly PlannedEntity[];
  readonly #processors: readonly PlannedProcessor[];
  readonly #planner: Planner;

  /** @param rule undefined: reservations are not kept, all run by round robin. */
  constructor(memory: SchedulerMemory, rule: CbsRule | undefined, entities: readonly DispatchedEntity[]) {
    this.#memory = memory;
    this.#rule = rule ?? 'hard';
    this.#entities = entities.map(({ reservation }, index) => ({
      slot: memory.slot(index),
      server: rule && reservation ? idleServer(reservation) : undefined,
      isAwake: false,
      chargedNs: 0,
      isLost: false,
      isPlanned: false,
    }));
    const count = 1 + Math.max(...entities.map(({ processor }) => processor));
    this.#processors = Array.from({ length: count }, (_, number) => ({
      entities: [...entities.keys()].filter((index) => entities[index]!.processor === number),
      roundRobin: new RoundRobin(FAIR_QUANTUM_NS),
      queue: new DispatchQueue(memory, number),
      holder: NONE,
      heardNs: 0,
    }));
    this.#planner = new Planner(this.#rule, this.#entities);
    for (const [index, { processor }] of entities.entries())
      this.#entities[index]!.slot.processor = processor;
  }

  /** Charges what has run, and plans anew. @returns when to be called again at the latest */
  dispatch(now: Nanos): Nanos {
    let next = Number.POSITIVE_INFINITY;
    for (const processor of this.#processors) next = Math.min(next, this.#dispatchOn(processor, now));
    return next;
  }

  /** If a thread hands over meanwhile, plans again. */
  #dispatchOn(processor: PlannedProcessor, now: Nanos): Nanos {
    const { queue, entities } = processor;
    const planner = this.#planner;
    for (;;) {
      const { word } = queue;
      for (const index of entities) this.#observe(processor, index, now);
      const lost = this.#hear(processor, word, now);
      planner.plan(processor, now);
      if (queue.replace(word, planner.word)) {
        if (lost !== NONE) this.#memory.countOverrun();
        break;
      }
      if (lost !== NONE) this.#finds(processor, lost);
    }
    const front = frontOf(planner.word);
    if (front !== NONE && !isTaken(planner.word)) this.#entities[front]!.slot.notify();
    return planner.nextNs;
  }

  /** Wakes, charges, blocks and replenishes an entity, as its slot and the time say. */
  #observe(processor: PlannedProcessor, index: number, now: Nanos): void {
    const entity = this.#entities[index]!;
    const { slot, server } = entity;
    const { isRunnable } = slot;
    // Wake the server before charging the CPU time of waking up: otherwise the wake-up rule could give that time back.
    if (isRunnable && !entity.isAwake) {
      if (server) wake(this.#rule, server, now);
      else processor.roundRobin.join(index);
      entity.isAwake = true;
    }
    if (entity.isAwake) this.#charge(processor, index, now);
    if (!isRunnable && entity.isAwake) {
      if (server) sleep(server);
      else processor.roundRobin.leave(index);
      entity.isAwake = false;
      entity.isLost = false;
    }
    if (server?.phase === 'throttled' && server.deadlineNs <= now) replenish(this.#rule, server, now);
  }

  #charge(processor: PlannedProcessor, index: number, now: Nanos): void {
    const entity = this.#entities[index]!;
    const { server } = entity;
    const { roundRobin } = processor;
    const ranNs = entity.slot.cpuNs - entity.chargedNs;
    if (ranNs === 0) return;
    entity.chargedNs += ranNs;
    if (server) charge(this.#rule, server, ranNs, now);
    else if (entity.isLost) roundRobin.join(index);
    else if (index === roundRobin.first) {
      roundRobin.spend(ranNs);
      if (roundRobin.leftNs <= 0) roundRobin.pass();
    }
    entity.isLost = false;
    if (index === processor.holder) processor.heardNs = now;
  }

  /** Notes which thread has taken the processor. @returns that thread if it is overdue, as it is not waited for; else `NONE` */
  #hear(processor: PlannedProcessor, word: number, now: Nanos): number {
    const holder = isTaken(word) ? frontOf(word) : NONE;
    if (holder !== processor.holder) processor.heardNs = now;
    processor.holder = holder;
    if (holder === NONE || !this.#planner.isOverdue(processor, now)) return NONE;
    this.#entities[holder]!.isLost = true;
    processor.roundRobin.leave(holder);
    processor.holder = NONE;
    return holder;
  }

  /**
   * The overdue thread has stopped just now after all. All its CPU time may have been charged already, so no later charge
   * would show that it waits to run again.
   */
  #finds(processor: PlannedProcessor, index: number): void {
    const entity = this.#entities[index]!;
    entity.isLost = false;
    if (!entity.server) processor.roundRobin.join(index);
  }
}
