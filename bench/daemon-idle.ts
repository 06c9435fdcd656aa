import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemons } from '../test/fixtures/daemons.ts';

/** Until what starting and first-time work have left behind is done. */
const SETTLE_MS = 20_000;
/** What /proc/PID/stat counts in. */
const TICKS_PER_SECOND = 100;

const program = { kind: 'zipf', writesPerSecond: 1 };
const sleepers = (more: object) =>
  Array.from({ length: 10 }, (_, number) => ({ name: `sleeper-${number}`, pages: 256, program, ...more }));

const cases = {
  'no guest': [],
  'ten guests that sleep': sleepers({}),
  'ten guests that sleep, with reservations': sleepers({ reservation: { budget: '1ms', period: '10ms' } }),
};

/** What a daemon uses of a processor while nobody asks it anything, over so many seconds. */
export async function idle(seconds: number): Promise<void> {
  const daemons = new Daemons();
  try {
    for (const [name, guests] of Object.entries(cases)) {
      const daemon = await daemons.start(`idle-${guests.length}`, { guests });
      await sleep(SETTLE_MS);
      const before = ticksOf(daemon.pid);
      await sleep(seconds * 1e3);
      const share = (ticksOf(daemon.pid) - before) / TICKS_PER_SECOND / seconds;
      console.log(`idle: ${name}: ${(100 * share).toFixed(2)} % of a processor`);
      await daemon.end('SIGKILL');
    }
  } finally {
    await daemons.end();
  }
}

/** User and system time of all its threads. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
