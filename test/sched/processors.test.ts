import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { SchedEntity, Scheduler } from '../../src/core/cpu/cpu-plan.ts';
import type { Slice } from '../../src/core/cpu/slice.ts';
import { clockNs } from '../../src/platform/clock.ts';
import { reasonOf } from '../../src/platform/failure.ts';
import { Processors } from '../../src/sched/processors.ts';
import { notifyThread } from '../../src/sched/scheduled-thread.ts';
import { onQuietMachine } from '../fixtures/quiet-machine.ts';

const server = (name: string, budgetMs: number, periodMs: number): SchedEntity => ({
  kind: 'guest',
  name,
  reservation: { budgetNs: budgetMs * 1e6, periodNs: periodMs * 1e6 },
  processor: 0,
});
const hog = (name: string): SchedEntity => ({ kind: 'hog', name, reservation: null, processor: 0 });

let cpu: Processors | undefined;
const programs: Worker[] = [];
afterEach(endAll);

async function endAll(): Promise<void> {
  await cpu?.end();
  for (const program of programs.splice(0)) await program.terminate();
}

/** @param hogs always want to run, reserved or not; @param ours run programs of this test */
async function start(
  scheduler: Scheduler,
  hogs: SchedEntity[],
  ours: SchedEntity[] = [],
): Promise<Processors> {
  const entities = [...ours, ...hogs.map((entity) => ({ ...entity, kind: 'hog' as const }))];
  cpu = await Processors.start({ scheduler, entities, reclaim: false });
  return cpu;
}

/** A thread of the caller: see program-worker.mjs. */
function program(name: string, workNs: number, sleepMs: number): { worker: Worker; tell: () => void } {
  const flag = new SharedArrayBuffer(4);
  const data = cpu!.threadDataOf(name);
  const worker = new Worker(new URL('program-worker.mjs', import.meta.url), {
    workerData: { data, workNs, sleepMs, flag },
  });
  programs.push(worker);
  const tell = () => {
    Atomics.store(new Int32Array(flag), 0, 1);
    Atomics.notify(new Int32Array(flag), 0);
    notifyThread(data);
  };
  return { worker, tell };
}

/** How often the kernel has taken the processor from a thread that wanted to go on. */
function interruptions(thread: number): number {
  const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
  return Number(/^nonvoluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1]);
}

function threads(): number {
  return readdirSync('/proc/self/task').length;
}

/** Time in slices of this name. */
function time(slices: readonly Slice[], name: string): number {
  return slices.reduce((sum, slice) => sum + (slice.name === name ? slice.endNs - slice.startNs : 0), 0);
}

/** A test that measures real time, on processors that other programs share. */
function measured(name: string, measure: (context: TestContext) => Promise<void>): void {
  test(name, (context) => onQuietMachine(context.skip, () => measure(context).finally(endAll)));
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

test('a thread that waits for its turn can be told something by its owner', async () => {
  const cpu = await start('cbs-hard', [], [server('S', 10, 4_000)]);
  const { worker, tell } = program('S', 1e9, 0);
  await cpu.admitted();
  await sleep(200);
  const toldNs = clockNs();
  tell();
  await once(worker, 'message');
  expect(clockNs() - toldNs).toBeLessThan(1_000e6);
  const { servedNs } = cpu.account(clockNs())[0]!;
  expect(servedNs).toBeLessThan(20e6);
});

test('where a processor is left, neither dispatcher nor probe interrupts a reserved thread, by the kernel’s own account', async ({
  skip,
}) => {
  skip(availableParallelism() < 2, 'one processor');
  const cpu = await start('cbs-hard', [hog('hog')], [server('S', 8, 10)]);
  skip(cpu.dispatcher !== 'SCHED_FIFO', 'SCHED_FIFO is not permitted');
  program('S', 1e9, 0);
  await cpu.admitted();
  const before = interruptions(cpu.threadOf('S'));
  await sleep(1_000);
  // The probe wakes up a thousand times a second, and would interrupt most of the time in which the thread runs.
  expect(interruptions(cpu.threadOf('S')) - before).toBeLessThan(200);
});

test('of a crowd that sleeps, wakes and is interrupted at random, one at a time works, and nobody is forgotten', async () => {
  const crowd = [server('A', 2, 10), server('B', 1, 4), server('C', 3, 20), hog('D'), hog('E'), hog('F')];
  const cpu = await start('cbs-hard', [], crowd);
  const words = new SharedArrayBuffer(16);
  const shared = new Int32Array(words);
  const pieces = crowd.map(async ({ name }, index) => {
    const workerData = { data: cpu.threadDataOf(name), words, number: index + 1 };
    const worker = new Worker(new URL('crowd-worker.mjs', import.meta.url), { workerData });
    programs.push(worker);
    const [pieces] = await once(worker, 'message');
    return pieces as number;
  });
  await cpu.admitted();
  for (const untilNs = clockNs() + 3e9; clockNs() < untilNs; await sleep(3)) {
    notifyThread(cpu.threadDataOf(crowd[Math.floor(Math.random() * crowd.length)]!.name));
  }
  const [, , disturbances] = shared;
  const overruns = Number(/^(\d+) times a thread did not stop/m.exec(cpu.notes.join('\n'))?.[1] ?? 0);
  Atomics.store(shared, 3, 1);
  Atomics.notify(shared, 3);
  for (const { name } of crowd) notifyThread(cpu.threadDataOf(name));
  expect(Math.min(...(await Promise.all(pieces)))).toBeGreaterThan(100);
  expect(disturbances).toBeLessThanOrEqual(overruns);
});

test('without a scheduler it is only recorded who ran', async () => {
  const cpu = await start('none', [hog('hog')]);
  await sleep(300);
  expect(time(cpu.slices(), 'hog')).toBeGreaterThan(50e6);
  expect(cpu.dispatcher).toBeUndefined();
  expect(cpu.notes).toEqual([]);
});

describe('deadline', () => {
  let refused: string | undefined;
  beforeAll(async () => {
    refused = await start('deadline', [server('trial', 1, 10)]).then(
      () => undefined,
      (cause) => reasonOf(cause),
    );
    await cpu?.end();
    if (refused) console.log(`skipped, as the kernel keeps no reservations here: ${refused}`);
  });

  measured('gives a reserved thread its share', async ({ skip }) => {
    skip(refused !== undefined);
    const cpu = await start('deadline', [server('A', 2, 10), hog('hog-1'), hog('hog-2')]);
    await sleep(1_500);
    const { periods, shareErrorPerPeriod } = cpu.account(clockNs())[0]!;
    expect(periods).toBeGreaterThan(100);
    expect(shareErrorPerPeriod!.median).toBeLessThan(0.05);
  });

  test('a reserved thread can use the pool of threads, which is not reserved', async ({ skip }) => {
    skip(refused !== undefined);
    const cpu = await start('deadline', [], [server('S', 2, 10)]);
    const { worker, tell } = program('S', 1e6, 1);
    await cpu.admitted();
    tell();
    expect(await once(worker, 'message')).toEqual(['told']);
  });

  test('more than the machine has is refused with the sum that was asked for, and nothing runs on', async ({
    skip,
  }) => {
    skip(refused !== undefined);
    await sleep(100);
    const before = threads();
    const asked = Array.from({ length: availableParallelism() + 1 }, (_, index) =>
      server(`S${index}`, 9, 10),
    );
    const sum = (0.9 * asked.length).toFixed(2);
    await expect(start('deadline', asked)).rejects.toThrow(
      new RegExp(`EBUSY.*asked for in all: ${sum} of ${availableParallelism()} processors`),
    );
    expect(threads()).toBe(before);
  });

  test('a thread of the caller that is refused is told of, and the rest ends', async ({ skip }) => {
    skip(refused !== undefined);
    const cpu = await start('deadline', [hog('hog')], [server('S', 0.0005, 10)]);
    program('S', 1e6, 1);
    await expect(cpu.admitted()).rejects.toThrow(/^S: .*EINVAL/);
    await programs[0]!.terminate();
    const { length } = cpu.slices();
    await sleep(300);
    expect(cpu.slices().length).toBe(length);
  });
});

describe.each(['cbs-hard', 'deadline', 'none'] as const)('a process under %s', (scheduler) => {
  test.each([
    ['that ends it', 'await cpu.end();'],
    ['that forgets to', ''],
  ])('%s exits by itself', async (_, last) => {
    const script = `
      process.exitCode = 1;
      import('${new URL('../../dist/sched/processors.js', import.meta.url)}').then(async ({ Processors }) => {
        const entities = [{ kind: 'hog', name: 'hog', reservation: null, processor: 0 }];
        const cpu = await Processors.start({ scheduler: '${scheduler}', entities, reclaim: false });
        ${last}
        process.exitCode = 0;
      });`;
    const child = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    expect(await once(child, 'exit')).toEqual([0, null]);
    clearTimeout(timer);
  });
});
