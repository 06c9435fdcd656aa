import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clockNs } from '../../src/platform/clock.ts';
import { threadCpuNs } from '../../src/platform/thread-clock.ts';

const file = JSON.stringify(new URL('../../build/src/platform/thread-clock.js', import.meta.url).href);

describe('the CPU clock of a thread', () => {
  // A virtual machine's clock may tell one instant twice; a stale clock stands for a whole tick, thousands of looks.
  test('goes on while the thread runs, and does not stand for a tick', () => {
    const [wallNs, cpuNs] = [clockNs(), threadCpuNs()];
    let [looks, still] = [0, 0];
    for (let last = cpuNs; clockNs() < wallNs + 30e6; looks++) {
      const now = threadCpuNs();
      if (now === last) still += 1;
      last = now;
    }
    expect(still / looks).toBeLessThan(0.05);
    expect(threadCpuNs() - cpuNs).toBeLessThanOrEqual(clockNs() - wallNs);
    expect(threadCpuNs() - cpuNs).toBeGreaterThan(1e6);
  });

  test('stands while it sleeps', async () => {
    const cpuNs = threadCpuNs();
    await sleep(100);
    expect(threadCpuNs() - cpuNs).toBeLessThan(50e6);
  });

  test('tells what the kernel’s own accounting tells', () => {
    for (let i = 0; i < 100; i++) {
      const before = threadCpuNs();
      const between = schedstatNs();
      expect(between).toBeGreaterThanOrEqual(before);
      expect(between).toBeLessThanOrEqual(threadCpuNs());
    }
  });

  test('is compiled once, and not again and again', () => {
    const program = `import { threadCpuNs } from ${file};
      const word = new Int32Array(new SharedArrayBuffer(4));
      function work(untilNs) { while (threadCpuNs() < untilNs) {} }
      for (let turn = 0; turn < 100; turn++) { work(threadCpuNs() + 3e6); Atomics.wait(word, 0, 0, 5); }`;
    const args = ['--trace-deopt', '--input-type=module', '--eval', program];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('[bailout')).length).toBeLessThan(20);
  });

  test('is nothing that Node warns of', () => {
    const program = `import { threadCpuNs } from ${file}; console.log(threadCpuNs());`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect({ hasTime: Number(stdout) > 1e6, stderr }).toEqual({ hasTime: true, stderr: '' });
  });
});

/** Up to a tick old unless the kernel has just been made to add up its times, as getrusage(2) does (thread_group_cputime). */
function schedstatNs(): number {
  process.cpuUsage();
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
}
