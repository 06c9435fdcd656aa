import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ask, Daemons } from '../fixtures/daemons.ts';
import type { ServedDaemon } from '../fixtures/served-daemon.ts';

let daemons: Daemons;
afterEach(() => daemons.end());

/** How often the threads of a process have gone to sleep. */
function sleeps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)![1]);
  }, 0);
}

async function heartbeats(daemon: ServedDaemon): Promise<number> {
  const { body } = await ask(daemon, 'GET', '/api/guests');
  return (body as { heartbeats: number }[]).reduce((sum, guest) => sum + guest.heartbeats, 0);
}

test('guests that sleep wake up much less often than their hearts beat, with reservations too', async () => {
  daemons = new Daemons();
  const program = { kind: 'zipf', writesPerSecond: 0.5 };
  const reservation = { budget: '1ms', period: '10ms' };
  const guests = Array.from({ length: 10 }, (_, number) => ({
    ...{ name: `sleeper-${number}`, pages: 16, program },
    ...(number % 2 === 0 && { reservation }),
  }));
  const daemon = await daemons.start('alone', { guests });
  await sleep(3_000);
  const [beatsBefore, sleepsBefore] = [await heartbeats(daemon), sleeps(daemon.pid)];
  await sleep(4_000);
  const [beats, slept] = [await heartbeats(daemon), sleeps(daemon.pid)];
  expect(beats).toBeGreaterThan(beatsBefore);
  expect(slept - sleepsBefore).toBeLessThan((beats - beatsBefore) / 2);
});
