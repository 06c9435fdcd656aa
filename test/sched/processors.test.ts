import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clockNs } from '../../src/platform/clock.ts';
import { reasonOf } from '../../src/platform/failure.ts';
import { notifyThread } from '../../src/sched/scheduled-thread.ts';
import { endAll, hog, program, server, start, threadOf, time } from '../fixtures/processors.ts';

afterEach(endAll);

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

test('of a crowd that sleeps, wakes and is interrupted at random, one at a time works, and nobody is forgotten', async () => {
  const crowd = [server('A', 2, 10), server('B', 1, 4), server('C', 3, 20), hog('D'), hog('E'), hog('F')];
  const cpu = await start('cbs-hard', [], crowd);
  const words = new SharedArrayBuffer(16);
  const shared = new Int32Array(words);
  const pieces = crowd.map(async ({ name }, index) => {
    const worker = threadOf('crowd-worker.mjs', { data: cpu.threadDataOf(name), words, number: index + 1 });
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
  const made = await Promise.all(pieces);
  expect(Math.min(...made)).toBeGreaterThan(100);
  // On one kernel up to 0.5 % of the pieces overlap beyond the overruns that are counted; why is not known. A scheduler that
  // let two run at once would be far above 2 %.
  const inPieces = made.reduce((sum, count) => sum + count, 0);
  expect(disturbances).toBeLessThanOrEqual(overruns + 0.02 * inPieces);
});

test('what is promised and supplied counts from where its account began, not from before', async () => {
  const cpu = await start('cbs-hard', [], [server('S', 4, 10)]);
  const { worker, tell } = program('S', 1e9, 0);
  await cpu.admitted();
  const before = () => cpu.account(clockNs())[0]!;
  await expect.poll(() => before().periods, { timeout: 20_000 }).toBeGreaterThan(20);
  cpu.beginAccount();
  const begunNs = clockNs();
  await sleep(100);
  const { periods, servedNs } = before();
  const periodsSince = (clockNs() - begunNs) / 10e6;
  expect(periods).toBeGreaterThan(0);
  expect(periods).toBeLessThanOrEqual(periodsSince + 1);
  expect(servedNs).toBeLessThanOrEqual(clockNs() - begunNs);
  tell();
  await once(worker, 'message');
});

test('without a scheduler it is only recorded who ran', async () => {
  const cpu = await start('none', [hog('hog')]);
  await expect.poll(() => time(cpu.slices(), 'hog')).toBeGreaterThan(50e6);
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
    await endAll();
    if (refused) console.log(`skipped, as the kernel keeps no reservations here: ${refused}`);
  });

  test('a reserved thread can use the pool of threads, which is not reserved', async ({ skip }) => {
    skip(refused !== undefined, refused);
    const cpu = await start('deadline', [], [server('S', 2, 10)]);
    const { worker, tell } = program('S', 1e6, 1);
    await cpu.admitted();
    tell();
    expect(await once(worker, 'message')).toEqual(['told']);
  });

  test('a thread of the caller that is refused is told of, and the rest ends', async ({ skip }) => {
    skip(refused !== undefined, refused);
    const cpu = await start('deadline', [hog('hog')], [server('S', 0.0005, 10)]);
    const { worker } = program('S', 1e6, 1);
    await expect(cpu.admitted()).rejects.toThrow(/^S: .*EINVAL/);
    await worker.terminate();
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
      import('${new URL('../../build/src/sched/processors.js', import.meta.url)}').then(async ({ Processors }) => {
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
