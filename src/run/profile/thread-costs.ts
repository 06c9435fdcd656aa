import { setTimeout as sleep } from 'node:timers/promises';
import type { SchedEntity } from '../../core/cpu/cpu-plan.ts';
import type { Cost } from '../../core/machine-costs.ts';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { WorkerThread } from '../../platform/worker-thread.ts';
import { Processors } from '../../sched/processors.ts';
import type { EchoMethods } from './echo-worker.ts';
import { repeated, sampledCost } from './sampled-cost.ts';

const TIMERS = 300;
const TURNS = 2_000;
const MESSAGES = 500;
const SWITCHING_MS = 2_000;
/** Between two turns that follow each other there is less. */
const LONGEST_SWITCH_NS = 1e6;

/** How late a thread wakes that sleeps 1 ms. */
export function timerLateness(): Cost {
  const word = new Int32Array(new SharedArrayBuffer(4));
  return repeated(TIMERS, () => {
    const untilNs = clockNs() + 1e6;
    Atomics.wait(word, 0, 0, 1);
    return Math.max(0, clockNs() - untilNs);
  });
}

/** Half a round trip between two threads that wait for each other: asleep at a word, and in their event loops. */
export async function threadCosts() {
  const echo = new WorkerThread<EchoMethods>('echo', 'run/profile/echo-worker', null);
  try {
    await echo.call('echo');
    const word = new SharedArrayBuffer(4);
    const clearing = echo.call('clear', word, TURNS);
    const contextSwitchNs = repeated(TURNS, () => untilCleared(new Int32Array(word)) / 2);
    await clearing;
    const messages: Nanos[] = [];
    for (let i = 0; i < MESSAGES; i++) {
      const beganAtNs = clockNs();
      await echo.call('echo');
      messages.push((clockNs() - beganAtNs) / 2);
    }
    return { contextSwitchNs, threadMessageNs: sampledCost(messages) };
  } finally {
    await echo.end();
  }
}

function untilCleared(word: Int32Array): Nanos {
  const beganAtNs = clockNs();
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
  while (Atomics.load(word, 0) === 1) Atomics.wait(word, 0, 1);
  return clockNs() - beganAtNs;
}

/** From the end of one thread's turn to the beginning of the next one's, on a processor that always has work. */
export async function threadSwitchCost(): Promise<Cost> {
  const entities: readonly SchedEntity[] = [
    { kind: 'hog', name: 'server-1', reservation: { budgetNs: 2e6, periodNs: 10e6 }, processor: 0 },
    { kind: 'hog', name: 'server-2', reservation: { budgetNs: 3e6, periodNs: 10e6 }, processor: 0 },
    { kind: 'hog', name: 'hog', reservation: null, processor: 0 },
  ];
  const processors = await Processors.start({ scheduler: 'cbs-hard', entities, reclaim: false });
  try {
    await sleep(SWITCHING_MS);
    const slices = processors.slices(Number.NEGATIVE_INFINITY).toSorted((a, b) => a.startNs - b.startNs);
    return sampledCost(
      slices.slice(1).flatMap(({ name, startNs }, index) => {
        const before = slices[index]!;
        const gapNs = startNs - before.endNs;
        return name !== before.name && gapNs >= 0 && gapNs < LONGEST_SWITCH_NS ? [gapNs] : [];
      }),
    );
  } finally {
    await processors.end();
  }
}
