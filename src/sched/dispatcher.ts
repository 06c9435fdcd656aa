import { type CbsRule, charge, idleServer, replenish, sleep, wake } from '../core/cpu/cbs.ts';
import { NONE } from '../core/cpu/earliest-first.ts';
import { FAIR_QUANTUM_NS } from '../core/cpu/processor.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import { RoundRobin } from '../core/cpu/round-robin.ts';
import type { Nanos } from '../core/units.ts';
import { DispatchQueue, frontOf, isTaken } from './dispatch-queue.ts';
import { type PlannedEntity, type PlannedProcessor, Planner } from './planner.ts';
import type { SchedulerMemory } from './scheduler-memory.ts';

/** A thread that is dispatched. Without a reservation it shares what the others leave. */
export interface DispatchedEntity {
  readonly reservation: Reservation | null;
  readonly processor: number;
}

/**
 * Decides who runs: on every processor one thread at a time, reserved ones before others and by earliest
 * deadline, the others by round robin. Plans ahead as far as it is certain, so that threads hand over to each other. Budgets
 * follow the rules of core/cpu; time and CPU time come from the threads' own clocks. Makes no objects once it is made.
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

  /** Takes note of what has happened, and says who runs. Returns when to be called again at the latest. */
  dispatch(now: Nanos): Nanos {
    let next = Number.POSITIVE_INFINITY;
    for (const processor of this.#processors) next = Math.min(next, this.#dispatchOn(processor, now));
    return next;
  }

  /** If a thread hands over meanwhile, takes note of that, and plans again from there. */
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

  /** Brings what is known of an entity up to date. */
  #observe(processor: PlannedProcessor, index: number, now: Nanos): void {
    const entity = this.#entities[index]!;
    const { slot, server } = entity;
    const { isRunnable } = slot;
    // A server wakes before it is charged for having been woken: else waking would give that back.
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

  /** Who has taken the processor. One that is overdue is not waited for, and is returned; else `NONE`. */
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
   * It has stopped after all, just now. All its CPU time may have been charged by then, and nothing that comes later
   * would tell that it waits to run again.
   */
  #finds(processor: PlannedProcessor, index: number): void {
    const entity = this.#entities[index]!;
    entity.isLost = false;
    if (!entity.server) processor.roundRobin.join(index);
  }
}
