import { describe, expect, test, vi } from 'vitest';
import type { CbsRule } from '../../src/core/cpu/cbs.ts';
import {
  DispatchQueue,
  frontOf,
  isTaken,
  linked,
  MOST_SLOTS,
  NOBODY,
  QUEUE_LENGTH,
} from '../../src/sched/dispatch-queue.ts';
import { type DispatchedEntity, Dispatcher } from '../../src/sched/dispatcher.ts';
import { SchedulerMemory } from '../../src/sched/scheduler-memory.ts';

const ms = 1e6;

/** A dispatcher whose threads are played by the test. */
class Stage {
  readonly memory: SchedulerMemory;
  readonly #dispatcher: Dispatcher;
  readonly #queues: readonly DispatchQueue[];
  #now = 0;

  constructor(rule: CbsRule | undefined, ...entities: readonly DispatchedEntity[]) {
    const processors = 1 + Math.max(...entities.map(({ processor }) => processor));
    this.memory = SchedulerMemory.withSlots(entities.length, processors);
    this.#dispatcher = new Dispatcher(this.memory, rule, entities);
    const queues = Array.from(
      { length: processors },
      (_, processor) => new DispatchQueue(this.memory, processor),
    );
    this.#queues = entities.map(({ processor }) => queues[processor]!);
  }

  asks(...threads: readonly number[]): void {
    for (const thread of threads) this.memory.slot(thread).isRunnable = true;
  }

  /** Takes the processor that it has been granted, and runs. */
  runs(thread: number, ranNs: number): void {
    expect(this.#queues[thread]!.take(thread)).toBe(true);
    this.memory.slot(thread).cpuNs += ranNs;
  }

  /** Gives up the processor. Returns whether it has handed over to somebody. */
  stops(thread: number, now = this.#now): boolean {
    return this.#queues[thread]!.handOver(thread, now);
  }

  sleeps(thread: number, now = this.#now): boolean {
    this.memory.slot(thread).isRunnable = false;
    return this.stops(thread, now);
  }

  dispatch(now: number): number {
    this.#now = now;
    return this.#dispatcher.dispatch(now);
  }

  get granted(): number[] {
    return [...this.#queues.keys()].filter((thread) => frontOf(this.#queues[thread]!.word) === thread);
  }

  limit(thread: number): number {
    return this.memory.slot(thread).limitNs;
  }
}

const server = (budget: number, period: number, processor = 0): DispatchedEntity => ({
  reservation: { budgetNs: budget * ms, periodNs: period * ms },
  processor,
});
const hog: DispatchedEntity = { reservation: null, processor: 0 };

describe('of those on one processor', () => {
  test('the reserved one with the earliest deadline goes first, and the first listed of equal ones', () => {
    const stage = new Stage('hard', hog, server(5, 20), server(2, 10), server(2, 10));
    stage.asks(0, 1, 2, 3);
    stage.dispatch(0);
    expect(stage.granted).toEqual([2]);
    expect(stage.limit(2)).toBe(2 * ms);
  });

  test('the next goes on only when the one before has stopped', () => {
    const stage = new Stage('hard', hog, server(2, 10));
    stage.asks(0);
    stage.dispatch(0);
    stage.runs(0, 1 * ms);
    stage.asks(1);
    stage.dispatch(1 * ms);
    expect(stage.granted).toEqual([0]);
    expect(stage.memory.slot(0).untilNs).toBeLessThanOrEqual(1 * ms);
    stage.stops(0);
    expect(stage.granted).toEqual([1]);
  });

  test('those without a reservation run 4 ms each by round robin, and one that is preempted keeps its place', () => {
    const stage = new Stage('hard', hog, hog, server(2, 10));
    stage.asks(0, 1);
    stage.dispatch(0);
    stage.runs(0, 3 * ms);
    stage.asks(2);
    stage.dispatch(3 * ms);
    stage.stops(0);
    stage.dispatch(3 * ms);
    stage.runs(2, 1 * ms);
    stage.sleeps(2);
    stage.dispatch(4 * ms);
    expect(stage.granted).toEqual([0]);
    expect(stage.limit(0)).toBe(4 * ms);
    stage.runs(0, 1 * ms);
    stage.dispatch(5 * ms);
    stage.stops(0);
    stage.dispatch(5 * ms);
    expect(stage.granted).toEqual([1]);
  });

  test('a dispatcher without a rule lets all run by round robin', () => {
    const stage = new Stage(undefined, hog, server(2, 10));
    stage.asks(0, 1);
    stage.dispatch(0);
    expect(stage.granted).toEqual([0]);
    stage.runs(0, 4 * ms);
    stage.dispatch(4 * ms);
    stage.stops(0);
    stage.dispatch(4 * ms);
    expect(stage.granted).toEqual([1]);
  });
});

describe.each([
  ['a server', server(1, 10)],
  ['one without a reservation', hog],
])('%s that stops in the moment in which it is given up as overdue', (_, late) => {
  test('is not forgotten', () => {
    const stage = new Stage('hard', late, server(1, 20), hog);
    stage.asks(0);
    stage.dispatch(0);
    stage.runs(0, 1 * ms);
    stage.asks(1, 2);
    stage.dispatch(1 * ms);
    stage.memory.slot(0).cpuNs += 5 * ms;
    // While the dispatcher looks at the next one, having charged this one for all that it has used.
    const next = vi.spyOn(stage.memory.slot(1), 'isRunnable', 'get');
    next.mockImplementationOnce(() => {
      stage.stops(0);
      return true;
    });
    stage.dispatch(8 * ms);
    expect(stage.memory.overruns).toBe(0);
    const served = new Set<number>();
    for (let now = 9; now < 200; now++) {
      stage.dispatch(now * ms);
      for (const thread of stage.granted) {
        served.add(thread);
        stage.runs(thread, 1 * ms);
        stage.stops(thread, now * ms);
      }
    }
    expect([...served].sort()).toEqual([0, 1, 2]);
  });
});

describe('a hard reservation', () => {
  test('gets nothing from the end of its budget to its deadline, and repays what it took too much', () => {
    const stage = new Stage('hard', server(2, 10));
    stage.asks(0);
    stage.dispatch(0);
    stage.runs(0, 2.5 * ms);
    stage.stops(0);
    expect(stage.dispatch(2.5 * ms)).toBe(10 * ms);
    expect(stage.granted).toEqual([]);
    stage.dispatch(10 * ms);
    expect(stage.granted).toEqual([0]);
    expect(stage.limit(0)).toBe(4 * ms);
  });

  test('is charged for waking', () => {
    const stage = new Stage('hard', server(2, 10));
    stage.asks(0);
    stage.dispatch(0);
    stage.runs(0, 1 * ms);
    stage.sleeps(0);
    stage.dispatch(1 * ms);
    stage.memory.slot(0).cpuNs += 0.1 * ms;
    stage.asks(0);
    stage.dispatch(30 * ms);
    expect(stage.limit(0)).toBe(1 * ms + 2 * ms);
  });
});

test('a soft reservation goes on with a later deadline', () => {
  const stage = new Stage('soft', server(2, 10), server(5, 15));
  stage.asks(0, 1);
  stage.dispatch(0);
  stage.runs(0, 2 * ms);
  stage.dispatch(2 * ms);
  stage.stops(0);
  stage.dispatch(2 * ms);
  expect(stage.granted).toEqual([1]);
  stage.sleeps(1);
  stage.dispatch(2 * ms);
  expect(stage.granted).toEqual([0]);
});

describe('a thread that does not stop', () => {
  test('is not waited for, and is dispatched again when it is heard of', () => {
    const stage = new Stage('hard', hog, server(2, 10));
    stage.asks(0);
    stage.dispatch(0);
    stage.runs(0, 1 * ms);
    stage.asks(1);
    const due = stage.dispatch(1 * ms);
    expect(due).toBeLessThanOrEqual(3 * ms);
    stage.dispatch(due);
    expect(stage.granted).toEqual([1]);
    expect(stage.memory.overruns).toBe(1);
    stage.runs(1, 1 * ms);
    stage.sleeps(1);
    stage.dispatch(due + 1 * ms);
    expect(stage.granted).toEqual([]);
    stage.memory.slot(0).cpuNs += 2 * ms;
    stage.stops(0);
    stage.dispatch(due + 1 * ms);
    expect(stage.granted).toEqual([0]);
  });

  test('is waited for if nobody else has to', () => {
    const stage = new Stage('hard', server(2, 10));
    stage.asks(0);
    expect(stage.dispatch(0)).toBe(Number.POSITIVE_INFINITY);
    stage.dispatch(1_000 * ms);
    expect(stage.granted).toEqual([0]);
    expect(stage.memory.overruns).toBe(0);
  });
});

test('every processor has a thread of its own', () => {
  const stage = new Stage('hard', server(2, 10, 0), server(2, 10, 1), server(1, 5, 1));
  stage.asks(0, 1, 2);
  stage.dispatch(0);
  expect(stage.granted).toEqual([0, 2]);
});

test('one that blocks just when it is granted the processor does not keep it', () => {
  const stage = new Stage('hard', server(2, 10), hog);
  stage.asks(0, 1);
  stage.dispatch(0);
  stage.memory.slot(0).isRunnable = false;
  stage.dispatch(0);
  expect(stage.granted).toEqual([1]);
});

describe('threads hand over to each other', () => {
  test('by deadline, then to the one that is next by round robin; the last one has to wake the dispatcher', () => {
    const stage = new Stage('hard', hog, server(3, 20), server(2, 10));
    stage.asks(0, 1, 2);
    stage.dispatch(0);
    stage.runs(2, 2 * ms);
    expect(stage.stops(2, 2 * ms)).toBe(true);
    stage.runs(1, 3 * ms);
    expect(stage.sleeps(1, 5 * ms)).toBe(true);
    stage.runs(0, 4 * ms);
    expect(stage.stops(0, 9 * ms)).toBe(false);
    expect(stage.granted).toEqual([]);
  });

  test('but not before the budget of the next one comes', () => {
    for (const [stopsNs, granted] of [
      [9.9 * ms, []],
      [10 * ms, [1]],
    ] as const) {
      const stage = new Stage('hard', hog, server(2, 10));
      stage.asks(0, 1);
      stage.dispatch(0);
      stage.runs(1, 2 * ms);
      stage.stops(1);
      stage.dispatch(2 * ms);
      expect(stage.memory.slot(0).untilNs).toBe(10 * ms);
      stage.runs(0, 1 * ms);
      stage.stops(0, stopsNs);
      expect(stage.granted).toEqual(granted);
    }
  });

  test('and the dispatcher looks only where one might not do so', () => {
    const stage = new Stage('hard', hog, server(2, 10));
    stage.asks(0, 1);
    stage.dispatch(0);
    stage.runs(1, 2 * ms);
    stage.stops(1);
    const nextNs = stage.dispatch(2 * ms);
    expect(nextNs).toBeGreaterThan(10 * ms);
    expect(nextNs).toBeLessThan(10.5 * ms);
    stage.runs(0, 1 * ms);
    stage.stops(0, 10 * ms);
    stage.runs(1, 0.2 * ms);
    stage.dispatch(nextNs);
    expect(stage.granted).toEqual([1]);
    expect(stage.limit(1)).toBe(4 * ms);
    expect(stage.memory.overruns).toBe(0);
  });

  test('a budget that comes while a more urgent one runs follows without a look', () => {
    const stage = new Stage('hard', server(2, 10), server(3, 10));
    stage.asks(1);
    stage.dispatch(0);
    stage.runs(1, 3 * ms);
    stage.stops(1);
    stage.dispatch(3 * ms);
    stage.asks(0);
    stage.dispatch(9 * ms);
    stage.runs(0, 0);
    expect(stage.dispatch(9 * ms)).toBeGreaterThan(11 * ms);
    expect(stage.stops(0, 11 * ms)).toBe(true);
    expect(stage.granted).toEqual([1]);
    expect(stage.limit(1)).toBe(6 * ms);
  });

  test('a budget that comes while a less urgent one runs does not wait for that', () => {
    const stage = new Stage('hard', server(1, 4), server(9, 20));
    stage.asks(0, 1);
    expect(stage.dispatch(0)).toBe(4 * ms);
    stage.runs(0, 1 * ms);
    stage.stops(0, 1 * ms);
    stage.runs(1, 3 * ms);
    stage.dispatch(4 * ms);
    stage.stops(1);
    expect(stage.granted).toEqual([0]);
  });

  test('one that has gone to sleep does not stall the processor', () => {
    const stage = new Stage('hard', server(2, 10), server(3, 10), hog);
    stage.asks(0, 1, 2);
    stage.dispatch(0);
    stage.runs(0, 2 * ms);
    expect(stage.sleeps(1)).toBe(false);
    stage.stops(0, 2 * ms);
    expect(stage.granted).toEqual([1]);
    stage.dispatch(2 * ms);
    expect(stage.granted).toEqual([2]);
  });
});

describe('a dispatch queue', () => {
  const memory = () => SchedulerMemory.withSlots(3, 1);

  test('that has been handed over is not replaced by a plan that was made before', () => {
    const queue = new DispatchQueue(memory(), 0);
    queue.replace(NOBODY, linked(linked(NOBODY, 0, 2), 1, 1));
    queue.take(2);
    const { word } = queue;
    expect(queue.handOver(2, 0)).toBe(true);
    expect(queue.replace(word, NOBODY)).toBe(false);
    expect(frontOf(queue.word)).toBe(1);
  });

  test('is not taken from one that takes the processor meanwhile', () => {
    const queue = new DispatchQueue(memory(), 0);
    queue.replace(NOBODY, linked(NOBODY, 0, 1));
    const { word } = queue;
    expect(queue.take(0)).toBe(false);
    expect(queue.take(1)).toBe(true);
    expect(queue.replace(word, NOBODY)).toBe(false);
    expect(queue.isHeldBy(1)).toBe(true);
  });

  test('is handed over by its front only', () => {
    const queue = new DispatchQueue(memory(), 0);
    queue.replace(NOBODY, linked(linked(NOBODY, 0, 0), 1, 1));
    expect(queue.handOver(1, 0)).toBe(false);
    expect(frontOf(queue.word)).toBe(0);
  });

  test('has room for every slot', () => {
    const slots = Array.from({ length: QUEUE_LENGTH }, (_, place) => MOST_SLOTS - 1 - place);
    const queue = new DispatchQueue(SchedulerMemory.withSlots(MOST_SLOTS, 1), 0);
    queue.replace(
      NOBODY,
      slots.reduce((word, slot, place) => linked(word, place, slot), NOBODY),
    );
    for (const slot of slots) {
      expect(queue.take(slot)).toBe(true);
      expect(isTaken(queue.word)).toBe(true);
      queue.handOver(slot, 0);
    }
    expect(queue.word).toBe(NOBODY);
  });
});
