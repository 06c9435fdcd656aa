import type { Nanos } from '../units.ts';
import { NONE } from './earliest-first.ts';
import { Jobs } from './jobs.ts';
import type { EntityId, ProcessorListener, SimulatedProcessors } from './processor.ts';
import type { RunQueue } from './run-queue.ts';

/** Work that is no more than this is what rounding left of it. */
const ROUNDING_NS = 1e-6;

interface Contender {
  readonly jobs: Jobs;
  /** Where it must stay, or undefined. */
  readonly pinnedTo: number | undefined;
  processor: number;
  isAwake: boolean;
  servedNs: Nanos;
}

/**
 * M processors as Linux has them: each with a queue of its own, and a timer interrupt at all multiples of the tick.
 *
 * Who wakes stays where it ran last, unless somebody at least as urgent runs there and somebody less urgent, or
 * nobody, on another processor: then it goes to the least urgent of those (select_idle_sibling, select_task_rq_rt). A
 * processor that runs something less urgent than what waits elsewhere pulls that (sched_balance_newidle, pull_rt_task).
 * One that wakes for the first time goes where the fewest are. There is no other balancing.
 */
export class KernelProcessors implements SimulatedProcessors {
  readonly #queues: readonly RunQueue[];
  readonly #tickNs: Nanos;
  readonly #listener: ProcessorListener;
  readonly #contenders: Contender[] = [];
  /** By processor: whose slice is open, or `NONE`, and since when. */
  readonly #sliceOf: EntityId[];
  readonly #sliceStartNs: Nanos[];
  #now: Nanos = 0;
  #ticks = 1;

  /** @param queues one for each processor */
  constructor(queues: readonly RunQueue[], tickNs: Nanos, listener: ProcessorListener = {}) {
    this.#queues = queues;
    this.#tickNs = tickNs;
    this.#listener = listener;
    this.#sliceOf = queues.map(() => NONE);
    this.#sliceStartNs = queues.map(() => 0);
  }

  /** The entity of this index in the queues. @param pinnedTo a processor; undefined: any */
  add(pinnedTo?: number): EntityId {
    const contender = { jobs: new Jobs(), pinnedTo, processor: NONE, isAwake: false, servedNs: 0 };
    return this.#contenders.push(contender) - 1;
  }

  get now(): Nanos {
    return this.#now;
  }

  arrive(id: EntityId, workNs: Nanos): void {
    const contender = this.#contenders[id]!;
    if (contender.jobs.isEmpty && workNs <= ROUNDING_NS) {
      this.#listener.finished?.(id, this.#now);
      return;
    }
    contender.jobs.add(workNs, this.#now);
    if (contender.isAwake) return;
    contender.processor = contender.pinnedTo ?? this.#placeFor(id, contender);
    contender.isAwake = true;
    this.#queues[contender.processor]!.join(id, true);
  }

  withdraw(id: EntityId): Nanos {
    const { jobs } = this.#contenders[id]!;
    const pendingNs = jobs.pendingNs;
    jobs.clear();
    this.#sleep(id);
    return pendingNs;
  }

  nextEventNs(): Nanos {
    this.#choose();
    let next = Number.POSITIVE_INFINITY;
    for (const { running, size, nextChangeNs } of this.#queues) {
      next = Math.min(next, nextChangeNs);
      if (size > 0) next = Math.min(next, this.#ticks * this.#tickNs);
      if (running !== NONE) next = Math.min(next, this.#now + this.#contenders[running]!.jobs.firstWorkNs);
    }
    return next;
  }

  runUntil(untilNs: Nanos): void {
    for (let next = this.nextEventNs(); next <= untilNs; next = this.nextEventNs()) this.#advance(next);
    if (untilNs > this.#now) this.#advance(untilNs);
  }

  served(id: EntityId): Nanos {
    return this.#contenders[id]!.servedNs;
  }

  pending(id: EntityId): Nanos {
    return this.#contenders[id]!.jobs.pendingNs;
  }

  flush(): void {
    for (let processor = 0; processor < this.#queues.length; processor++) this.#closeSlice(processor);
  }

  #placeFor(id: EntityId, { processor }: Contender): number {
    const queues = this.#queues;
    const sizes = queues.map(({ size }) => size);
    if (processor === NONE) return sizes.indexOf(Math.min(...sizes));
    // ttwu_runnable: asleep, but not gone yet.
    if (queues[processor]!.holds(id)) return processor;
    const urgency = queues[processor]!.urgencyOf(id);
    if (this.#urgencyOn(processor) < urgency) return processor;
    const least = this.#leastUrgent();
    return this.#urgencyOn(least) < urgency ? least : processor;
  }

  /** Of what runs on the processor, or was put there to run; 0: it is idle. */
  #urgencyOn(processor: number): number {
    const queue = this.#queues[processor]!;
    if (queue.running !== NONE && this.#contenders[queue.running]!.isAwake) {
      return queue.urgencyOf(queue.running);
    }
    const next = queue.waiting(() => true);
    return next === NONE ? 0 : queue.urgencyOf(next);
  }

  #leastUrgent(): number {
    const urgencies = this.#queues.map((_, processor) => this.#urgencyOn(processor));
    return urgencies.indexOf(Math.min(...urgencies));
  }

  /** Each queue chooses; then processors pull what waits elsewhere and is more urgent, until there is no such thing. */
  #choose(): void {
    for (const queue of this.#queues) queue.choose();
    if (this.#queues.length === 1) return;
    while (this.#pull()) for (const queue of this.#queues) queue.choose();
  }

  #pull(): boolean {
    const to = this.#leastUrgent();
    const urgency = this.#urgencyOn(to);
    let best = NONE;
    for (const queue of this.#queues) {
      const id = queue.waiting((each) => this.#contenders[each]!.pinnedTo === undefined);
      if (id === NONE || this.#contenders[id]!.processor === to || queue.urgencyOf(id) <= urgency) continue;
      if (best === NONE || this.#isPulledBefore(id, best)) best = id;
    }
    if (best === NONE) return false;
    const contender = this.#contenders[best]!;
    this.#queues[contender.processor]!.leave(best, false);
    contender.processor = to;
    this.#queues[to]!.join(best, false);
    return true;
  }

  /** The more urgent first, then that of the longer queue. */
  #isPulledBefore(id: EntityId, best: EntityId): boolean {
    const [one, other] = [id, best].map((each) => this.#queues[this.#contenders[each]!.processor]!);
    const difference = one!.urgencyOf(id) - other!.urgencyOf(best);
    return difference > 0 || (difference === 0 && one!.size > other!.size);
  }

  #advance(toNs: Nanos): void {
    const ranNs = toNs - this.#now;
    this.#choose();
    if (ranNs > 0) this.#switch();
    this.#now = toNs;
    const finished: EntityId[] = [];
    for (const queue of this.#queues) {
      queue.pass(ranNs, toNs);
      if (queue.running !== NONE) this.#hasRun(queue.running, ranNs, finished);
    }
    if (this.#ticks * this.#tickNs <= toNs) for (const queue of this.#queues) queue.tick();
    while (this.#ticks * this.#tickNs <= toNs) this.#ticks += 1;
    for (const id of finished) this.#listener.finished?.(id, toNs);
  }

  #hasRun(id: EntityId, ranNs: Nanos, finished: EntityId[]): void {
    const contender = this.#contenders[id]!;
    const { jobs } = contender;
    if (jobs.isEmpty) return;
    contender.servedNs += ranNs;
    jobs.work(ranNs);
    for (; !jobs.isEmpty && this.#isUsedUp(jobs.firstWorkNs); finished.push(id)) jobs.finishFirst();
    if (jobs.isEmpty) this.#sleep(id);
  }

  #sleep(id: EntityId): void {
    const contender = this.#contenders[id]!;
    if (!contender.isAwake) return;
    contender.isAwake = false;
    this.#queues[contender.processor]!.leave(id, true);
  }

  #isUsedUp(leftNs: Nanos): boolean {
    return leftNs <= ROUNDING_NS || this.#now + leftNs <= this.#now;
  }

  #switch(): void {
    for (const [processor, { running }] of this.#queues.entries()) {
      if (this.#sliceOf[processor] === running) continue;
      this.#closeSlice(processor);
      this.#sliceOf[processor] = running;
      this.#sliceStartNs[processor] = this.#now;
    }
  }

  #closeSlice(processor: number): void {
    const id = this.#sliceOf[processor]!;
    if (id === NONE) return;
    this.#listener.slice?.(id, this.#sliceStartNs[processor]!, this.#now, processor);
    this.#sliceOf[processor] = NONE;
  }
}
