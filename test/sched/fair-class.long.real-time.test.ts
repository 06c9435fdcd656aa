import { once } from 'node:events';
import { availableParallelism, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, type TestContext, test } from 'vitest';
import { fairWeight } from '../../src/core/cpu/fair-weight.ts';
import { defaultKernelSettings, kernelProcessors } from '../../src/core/cpu/kernel-classes.ts';
import { Random } from '../../src/core/random.ts';
import { quantile } from '../../src/study/statistics/estimate.ts';
import { cpuNs, endPinned, go, pinned } from '../fixtures/pinned-threads.ts';
import { onQuietMachine } from '../fixtures/quiet-machine.ts';

afterEach(endPinned);

const MS = 1e6;
/** The slice depends on how many processors the machine has, not on how many are used. */
const settings = defaultKernelSettings(availableParallelism());

interface Cycle {
  readonly latencyNs: number;
  readonly cpuNs: number;
}

function measured(name: string, measure: (context: TestContext) => Promise<void>): void {
  test(name, (context) => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    context.skip(major < 6 || (major === 6 && minor < 15), `Linux ${release()}, not 6.15 or newer`);
    context.skip(availableParallelism() < 2, 'one processor');
    return onQuietMachine(context.skip, () => measure(context).finally(endPinned));
  });
}

/** What the kernel gives spinners in `seconds` of their processor, and the simulation in the same time. */
async function shares(nice: readonly number[], seconds: number) {
  const threads = [];
  for (const one of nice) threads.push(await pinned('spinning-worker.mjs', one));
  go();
  await sleep(300);
  const before = threads.map(cpuNs);
  await sleep(1_000 * seconds);
  const served = threads.map((thread, index) => cpuNs(thread) - before[index]!);
  const totalNs = served.reduce((sum, one) => sum + one, 0);
  const simulated = kernelProcessors(
    'eevdf',
    1,
    nice.map((one) => ({ nice: one })),
    {},
    settings,
  );
  for (const id of nice.keys()) simulated.arrive(id, Number.POSITIVE_INFINITY);
  simulated.runUntil(totalNs);
  return {
    kernel: served.map((one) => one / totalNs),
    ours: nice.map((_, id) => simulated.served(id) / totalNs),
  };
}

/** The cycles of a thread that wakes beside spinners, and how long it waits in the simulation, cycle by cycle. */
async function wakeUps(nice: readonly number[], count: number) {
  const random = Random.seeded(1, 1);
  const sleepsMs = Array.from({ length: count }, () => 5 + 20 * random.uniform());
  for (const one of nice) await pinned('spinning-worker.mjs', one);
  const waking = await pinned('waking-worker.mjs', 0, { sleepsMs, workNs: 0.5 * MS });
  const told = once(waking.worker, 'message');
  go();
  const [cycles] = (await told) as [Cycle[]];
  return { kernel: cycles.map(({ latencyNs }) => latencyNs), ours: simulatedWakeUps(nice, sleepsMs, cycles) };
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

for (const nice of [
  [0, 0],
  [0, 5],
  [-5, 0, 5],
  [-5, -2, 0, 3],
]) {
  measured(
    `spinners of nice ${nice.join(', ')} have shares of a processor as simulated, to a hundredth`,
    async () => {
      const { kernel, ours } = await shares(nice, 4);
      const total = nice.reduce((sum, one) => sum + fairWeight(one), 0);
      console.log('shares', nice, { kernel, ours, weights: nice.map((one) => fairWeight(one) / total) });
      for (const [index, share] of kernel.entries())
        expect(Math.abs(share - ours[index]!)).toBeLessThan(0.01);
    },
  );
}

for (const nice of [[0], [0, 0, 0], [5, 5], [-5]]) {
  measured(`a thread that wakes beside spinners of nice ${nice.join(', ')} waits as simulated`, async () => {
    const { kernel, ours } = await wakeUps(nice, 600);
    const at = (values: readonly number[], share: number) => quantile(values, share) / MS;
    console.log(
      'latency',
      nice,
      [0.5, 0.9, 0.99].map((share) => [at(kernel, share), at(ours, share)]),
    );
    // A tick is the least step in which the kernel looks.
    for (const share of [0.5, 0.99]) {
      const allowed = Math.max(0.25 * at(ours, share), 0.25);
      expect(Math.abs(at(kernel, share) - at(ours, share))).toBeLessThan(allowed);
    }
  });
}
