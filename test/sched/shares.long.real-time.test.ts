import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, type TestContext, test } from 'vitest';
import { clockNs } from '../../src/platform/clock.ts';
import { reasonOf } from '../../src/platform/failure.ts';
import { endAll, hog, program, server, start, time } from '../fixtures/processors.ts';
import { onQuietMachine } from '../fixtures/quiet-machine.ts';

afterEach(endAll);

/** A test that measures real time, on processors that other programs share. */
function measured(name: string, measure: (context: TestContext) => Promise<void>): void {
  test(name, (context) => onQuietMachine(context.skip, () => measure(context).finally(endAll)));
}

/** How often the kernel has taken the processor from a thread that wanted to go on. */
function interruptions(thread: number): number {
  const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  return Number(/^nonvoluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1]);
}

describe.each(['cbs-hard', 'cbs-soft'] as const)('%s', (scheduler) => {
  measured('gives two reserved threads their shares, and one thread at a time the processor', async () => {
    const cpu = await start(scheduler, [server('A', 2, 10), server('B', 6, 20), hog('hog-1'), hog('hog-2')]);
    await sleep(2_200);
    const servers = cpu.account(clockNs());
    expect(servers.map(({ name }) => name)).toEqual(['A', 'B']);
    if (scheduler === 'cbs-hard') {
      for (const { periods, shareErrorPerPeriod, shareErrorPerTenPeriods } of servers) {
        expect(periods).toBeGreaterThanOrEqual(100);
        expect(shareErrorPerPeriod!.median).toBeLessThan(0.05);
        expect(shareErrorPerTenPeriods!.median).toBeLessThan(0.02);
      }
    } else {
      // Never without budget, they leave the others nothing, and share the processor as they have asked, 2 to 3.
      const [a, b] = servers.map(({ servedNs }) => servedNs);
      expect(b! / a!).toBeGreaterThan(1.3);
      expect(b! / a!).toBeLessThan(1.7);
      expect(time(cpu.slices(), 'hog-1') + time(cpu.slices(), 'hog-2')).toBeLessThan(0.1 * (a! + b!));
    }

    const slices = [...cpu.slices()].sort((one, other) => one.startNs - other.startNs);
    const pairs = slices.slice(1).map((slice, index) => slices[index]!.endNs - slice.startNs);
    const overlapNs = pairs.reduce((sum, ns) => sum + Math.max(0, ns), 0);
    expect(overlapNs / (slices.at(-1)!.endNs - slices[0]!.startNs)).toBeLessThan(0.1);
  });
});

measured('a reserved thread that sleeps leaves its time to the others', async () => {
  const cpu = await start('cbs-hard', [hog('hog')], [server('S', 5, 10)]);
  program('S', 1e6, 9);
  await cpu.admitted();
  const fromNs = clockNs();
  await sleep(1_000);
  const slices = cpu.slices().filter(({ startNs }) => startNs > fromNs);
  const [reserved, left] = [time(slices, 'S'), time(slices, 'hog')];
  expect(reserved).toBeGreaterThan(50e6);
  expect(reserved).toBeLessThan(200e6);
  // If the half that is reserved were used up or kept free, it would be less; other programs take some of the rest.
  expect(left / reserved).toBeGreaterThan(1.5);
});

measured('fair gives all the same', async () => {
  const cpu = await start('fair', [server('A', 2, 10), hog('B'), hog('C')]);
  await sleep(1_500);
  const slices = cpu.slices();
  const each = ['A', 'B', 'C'].map((name) => time(slices, name));
  expect(Math.min(...each) / Math.max(...each)).toBeGreaterThan(0.8);
});

test('where a processor is left, neither dispatcher nor probe interrupts a reserved thread, by the kernel’s own account', async ({
  skip,
}) => {
  skip(availableParallelism() < 2, 'one processor');
  const cpu = await start('cbs-hard', [hog('hog')], [server('S', 8, 10)]);
  skip(cpu.dispatcher?.priority !== 'SCHED_FIFO', 'SCHED_FIFO is not permitted');
  program('S', 1e9, 0);
  await cpu.admitted();
  const before = interruptions(cpu.threadOf('S'));
  await sleep(1_000);
  // The probe wakes up a thousand times a second, and would interrupt most of the time in which the thread runs.
  expect(interruptions(cpu.threadOf('S')) - before).toBeLessThan(200);
});

measured('the kernel gives a reserved thread its share', async ({ skip }) => {
  const cpu = await start('deadline', [server('A', 2, 10), hog('hog-1'), hog('hog-2')]).catch((cause) =>
    skip(`the kernel keeps no reservations here: ${reasonOf(cause)}`),
  );
  await sleep(1_500);
  const { periods, shareErrorPerPeriod } = cpu.account(clockNs())[0]!;
  expect(periods).toBeGreaterThan(100);
  expect(shareErrorPerPeriod!.median).toBeLessThan(0.05);
});
