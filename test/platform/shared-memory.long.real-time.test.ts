import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sharedMemory } from '../../src/platform/shared-memory.ts';

const MiB = 2 ** 20;

test('shared memory that nobody can reach any more is given back, though nothing else is thrown away', async () => {
  const before = process.memoryUsage().rss;
  let mostMiB = 0;
  for (let turn = 0; turn < 40; turn++) {
    new Uint8Array(sharedMemory(64 * MiB)).fill(1);
    await sleep(20);
    mostMiB = Math.max(mostMiB, (process.memoryUsage().rss - before) / MiB);
  }
  // Of 2,560 MiB in all.
  expect(mostMiB).toBeLessThan(800);
});

test('what is held beside shared memory takes no memory itself', () => {
  const before = process.memoryUsage().rss;
  const memories = Array.from({ length: 8 }, () => sharedMemory(64 * MiB));
  expect(memories.every((memory) => new Int32Array(memory)[1_000] === 0)).toBe(true);
  expect((process.memoryUsage().rss - before) / MiB).toBeLessThan(100);
});
