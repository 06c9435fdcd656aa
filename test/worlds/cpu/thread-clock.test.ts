import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clockNs } from '../../../src/worlds/clock.ts';
import { schedstatClock, systemClock } from '../../../src/worlds/cpu/thread-clock.ts';

const clocks: [string, (() => number) | undefined][] = [
  ['the system call', systemClock()],
  ['schedstat', schedstatClock()],
];

describe.each(clocks)('the CPU clock of a thread by %s', (_, clock) => {
  // A virtual machine's clock may tell one instant twice; a stale clock stands for a whole tick, thousands of looks.
  test.skipIf(clock === undefined)('goes on while the thread runs, and does not stand for a tick', () => {
    const [wallNs, cpuNs] = [clockNs(), clock!()];
    let [looks, still] = [0, 0];
    for (let last = cpuNs; clockNs() < wallNs + 30e6; looks++) {
      const now = clock!();
      if (now === last) still += 1;
      last = now;
    }
    expect(still / looks).toBeLessThan(0.05);
    expect(clock!() - cpuNs).toBeLessThanOrEqual(clockNs() - wallNs);
    expect(clock!() - cpuNs).toBeGreaterThan(1e6);
  });

  test.skipIf(clock === undefined)('stands while it sleeps', async () => {
    const cpuNs = clock!();
    await sleep(100);
    expect(clock!() - cpuNs).toBeLessThan(50e6);
  });
});

test.skipIf(systemClock() === undefined)('both clocks tell the same time', () => {
  const [system, schedstat] = [systemClock()!, schedstatClock()];
  for (let i = 0; i < 100; i++) {
    const before = system();
    const between = schedstat();
    expect(between).toBeGreaterThanOrEqual(before);
    expect(between).toBeLessThanOrEqual(system());
  }
});
