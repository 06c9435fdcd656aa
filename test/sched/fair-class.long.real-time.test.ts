import { once } from 'node:events';
import { availableParallelism, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { defaultKernelSettings, kernelProcessors } from '../../src/core/cpu/kernel-classes.ts';
import { Random } from '../../src/core/random.ts';
import { quantile } from '../../src/study/statistics/estimate.ts';
import { cpuNs, endPinned, go, type PinnedThread, pinned } from '../fixtures/pinned-threads.ts';

afterEach(endPinned);

const MS = 1e6;
/** The slice depends on how many processors the machine has, not on how many are used. */
const settings = defaultKernelSettings(availableParallelism());

interface Cycle {
  readonly latencyNs: number;
  readonly cpuNs: number;
  readonly othersNs: number;
}

/** All sets of weights: with SCHEDULERS=all. */
const EVERY = process.env.SCHEDULERS === 'all';

/** In a cycle in which others used the processor for longer, the wait says nothing about our threads. */
const DISTURBED_NS = 100_000;
/**
 * A longer wait is more likely to be disturbed. So the undisturbed cycles are those of short waits, unless they are nearly
 * all of them.
 */
const LEAST_UNDISTURBED = 0.9;
const CYCLES = EVERY ? 400 : 200;

function isMeasurable(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return availableParallelism() >= 2 && (major > 6 || (major === 6 && minor >= 15));
}

function why(): string {
  return `needs two processors and Linux 6.15, found ${availableParallelism()} and ${release()}`;
}

/** The shares that the kernel gives spinners in each of `count` windows, and the simulation. */
async function shares(nice: readonly number[], count: number) {
  const threads: PinnedThread[] = [];
  for (const one of nice) threads.push(await pinned('spinning-worker.mjs', one));
  const simulated = kernelProcessors(
    'eevdf',
    1,
    nice.map((one) => ({ nice: one })),
    {},
    settings,
  );
  for (const id of nice.keys()) simulated.arrive(id, Number.POSITIVE_INFINITY);
  go();
  await sleep(300);
  const windows = [];
  for (let window = 0; window < count; window++) {
    const before = cpuNs(threads);
    const served = await servedSince(threads, before);
    const totalNs = sumOf(served);
    const oursBefore = nice.map((_, id) => simulated.served(id));
    simulated.runUntil(simulated.now + totalNs);
    windows.push({
      kernel: served.map((one) => one / totalNs),
      ours: nice.map((_, id) => (simulated.served(id) - oursBefore[id]!) / totalNs),
    });
  }
  return windows;
}

/** Once they have had a second of CPU time together, however long others kept them from it. */
async function servedSince(threads: readonly PinnedThread[], before: readonly number[]): Promise<number[]> {
  for (;;) {
    const served = cpuNs(threads).map((now, index) => now - before[index]!);
    if (sumOf(served) >= 1_000 * MS) return served;
    await sleep(20);
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0);
}

/** How long a thread waits that wakes beside spinners, and how long in the simulation, in the undisturbed cycles. */
async function wakeUps(nice: readonly number[], count: number) {
  const random = Random.seeded(1, 1);
  const sleepsMs = Array.from({ length: count }, () => 5 + 20 * random.uniform());
  const beside: number[] = [];
  for (const one of nice) beside.push((await pinned('spinning-worker.mjs', one)).thread);
  const waking = await pinned('waking-worker.mjs', 0, { sleepsMs, beside, workNs: 0.5 * MS });
  const told = once(waking.worker, 'message');
  go();
  const [cycles] = (await told) as [Cycle[]];
  const ours = simulatedWakeUps(nice, sleepsMs, cycles);
  const undisturbed = [...cycles.keys()].filter((index) => cycles[index]!.othersNs <= DISTURBED_NS);
  return {
    kernel: undisturbed.map((index) => cycles[index]!.latencyNs),
    ours: undisturbed.map((index) => ours[index]!),
  };
}

function simulatedWakeUps(
  nice: readonly number[],
  sleepsMs: readonly number[],
  cycles: readonly Cycle[],
): number[] {
  const id = nice.length;
  let [wokeNs, waitedNs, doneNs] = [0, -1, 0];
  const cpu = kernelProcessors(
    'eevdf',
    1,
    [...nice, 0].map((one) => ({ nice: one })),
    {
      slice: (who, startNs) => {
        if (who === id && waitedNs < 0) waitedNs = startNs - wokeNs;
      },
      finished: (who, atNs) => {
        if (who === id) doneNs = atNs;
      },
    },
    settings,
  );
  for (const spinner of nice.keys()) cpu.arrive(spinner, Number.POSITIVE_INFINITY);
  return cycles.map(({ cpuNs }, index) => {
    wokeNs = doneNs + sleepsMs[index]! * MS;
    waitedNs = -1;
    cpu.runUntil(wokeNs);
    cpu.arrive(id, cpuNs);
    while (cpu.pending(id) > 0) cpu.runUntil(cpu.nextEventNs());
    cpu.flush();
    return waitedNs;
  });
}

const sharing = [
  [0, 5],
  [-5, -2, 0, 3],
  ...(EVERY
    ? [
        [0, 0],
        [-5, 0, 5],
      ]
    : []),
];
for (const nice of sharing) {
  test(`spinners of nice ${nice.join(', ')} have shares of a processor as simulated, to a hundredth`, async ({
    skip,
  }) => {
    skip(!isMeasurable(), why());
    const windows = await shares(nice, EVERY ? 5 : 3);
    for (const { kernel, ours } of windows) {
      for (const [index, share] of kernel.entries()) {
        expect(Math.abs(share - ours[index]!)).toBeLessThan(0.01);
      }
    }
  });
}

const waking = [[0], ...(EVERY ? [[0, 0, 0], [5, 5], [-5], [-5, 0, 5], [2, -2]] : [])];
for (const nice of waking) {
  test(`a thread that wakes beside spinners of nice ${nice.join(', ')} waits as simulated`, async ({
    skip,
  }) => {
    skip(!isMeasurable(), why());
    const { kernel, ours } = await wakeUps(nice, CYCLES);
    const at = (values: readonly number[], share: number) => quantile(values, share) / MS;
    const isEnough = kernel.length >= LEAST_UNDISTURBED * CYCLES;
    skip(!isEnough, `only ${kernel.length} of ${CYCLES} cycles were undisturbed`);
    for (const share of [0.5, 0.99]) {
      // What takes less than 0.25 ms is not scheduling: timers, system calls.
      const allowed = Math.max(0.25 * at(ours, share), 0.25);
      expect(Math.abs(at(kernel, share) - at(ours, share))).toBeLessThan(allowed);
    }
  });
}
