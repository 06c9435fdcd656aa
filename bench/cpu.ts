import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SchedEntity, Scheduler } from '../src/core/cpu/cpu-plan.ts';
import type { Reservation } from '../src/core/cpu/reservation.ts';
import type { ServerRecord } from '../src/core/cpu/server-record.ts';
import type { Slice } from '../src/core/cpu/slice.ts';
import { blackout } from '../src/core/cpu/supply.ts';
import { formatDuration } from '../src/core/units.ts';
import { clockNs } from '../src/platform/clock.ts';
import { reasonOf } from '../src/platform/failure.ts';
import { Processors } from '../src/sched/processors.ts';

const PERIODS = 420;
const LEAST_MS = 4_000;
const hogs = ['hog-1', 'hog-2'].map(
  (name): SchedEntity => ({ kind: 'hog', name, reservation: null, processor: 0 }),
);

interface Run {
  readonly servers: readonly ServerRecord[];
  readonly slices: readonly Slice[];
  /** What we say the first server has been served, over what the kernel says. */
  readonly measurements: number;
  readonly dispatcherShare: number;
  readonly notes: readonly string[];
}

/** How well reservations are kept: always-busy reserved threads and two hogs on one processor. Two minutes. */
export async function cpu(): Promise<void> {
  console.log('reservations delivered against promised, beside two hogs; error of the share: median, 99 %');
  for (const scheduler of ['deadline', 'cbs-hard'] as const) {
    for (const [budgetMs, periodMs] of [
      [2, 10],
      [5, 20],
      [1, 4],
      [30, 100],
    ] as const) {
      await report(scheduler, reservation(budgetMs, periodMs));
    }
  }
  const three = [reservation(2, 10), reservation(3, 10), reservation(2, 10)];
  const { dispatcherShare, servers } = await run('cbs-hard', three);
  const missed = servers.reduce((sum, server) => sum + server.missedPeriods, 0);
  console.log(
    `  three servers at P = 10 ms: dispatcher ${percent(dispatcherShare)} of a processor, ${missed} missed periods`,
  );
}

async function report(scheduler: Scheduler, { budgetNs, periodNs }: Reservation): Promise<void> {
  const what = `${scheduler.padEnd(8)} ${formatDuration(budgetNs)} of ${formatDuration(periodNs)}`.padEnd(24);
  try {
    const { servers, slices, measurements, dispatcherShare, notes } = await run(scheduler, [
      { budgetNs, periodNs },
    ]);
    const { shareErrorPerPeriod, shareErrorPerTenPeriods, ...server } = servers[0]!;
    const error = (of: typeof shareErrorPerPeriod) => `${percent(of!.median)}, ${percent(of!.p99)}`;
    const gaps = blackouts(slices, (periodNs - budgetNs) / 2);
    const gap = (share: number) => formatDuration(gaps[Math.ceil(share * gaps.length) - 1]!);
    console.log(`  ${what} 1 P ${error(shareErrorPerPeriod)}   10 P ${error(shareErrorPerTenPeriods)}   1 s ${percent(server.shareErrorPerSecond!)}
  ${''.padEnd(24)} missed ${server.missedPeriods} of ${server.periods}, by the machine ${server.missedByMachine}   blackout ${gap(0.5)}, ${gap(0.99)}, at most ${gap(1)} (bound ${formatDuration(blackout({ budgetNs, periodNs }))})
  ${''.padEnd(24)} the kernel's own account ${percent(measurements - 1)} off   dispatcher ${percent(dispatcherShare)}   ${notes.join('; ')}`);
  } catch (cause) {
    console.log(`  ${what} ${reasonOf(cause)}`);
  }
}

async function run(scheduler: Scheduler, reservations: readonly Reservation[]): Promise<Run> {
  const servers: SchedEntity[] = reservations.map((reservation, index) => ({
    kind: 'hog',
    name: `server-${index + 1}`,
    reservation,
    processor: 0,
  }));
  const cpu = await Processors.start({
    scheduler,
    entities: [...servers, ...hogs],
    reclaim: false,
  });
  try {
    const longest = Math.max(...reservations.map(({ periodNs }) => periodNs / 1e6));
    const kernelNs = () => kernelTime(cpu.threadOf('server-1'));
    await sleep(100);
    const dispatcherNs = () => (cpu.dispatcher ? kernelTime(cpu.dispatcher.thread) : 0);
    const [beganAtNs, dispatcherBeforeNs] = [clockNs(), dispatcherNs()];
    const [kernelBeforeNs, beforeNs] = [kernelNs(), cpu.account(clockNs())[0]!.servedNs];
    await sleep(Math.max(LEAST_MS, PERIODS * longest));
    const [kernelAfterNs, after] = [kernelNs(), cpu.account(clockNs())];
    return {
      servers: after,
      slices: cpu.slices().filter(({ name }) => name === 'server-1'),
      measurements: (after[0]!.servedNs - beforeNs) / (kernelAfterNs - kernelBeforeNs),
      dispatcherShare: (dispatcherNs() - dispatcherBeforeNs) / (clockNs() - beganAtNs),
      notes: cpu.notes,
    };
  } finally {
    await cpu.end();
  }
}

/** CPU time of a thread of this process as the kernel keeps it, an independent measurements. */
function kernelTime(thread: number): number {
  return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
}

/** The times between slices, sorted, without the interruptions of a moment. */
function blackouts(slices: readonly Slice[], leastNs: number): readonly number[] {
  const gaps = slices.slice(1).map(({ startNs }, index) => startNs - slices[index]!.endNs);
  return gaps.filter((ns) => ns > leastNs).sort((a, b) => a - b);
}

function reservation(budgetMs: number, periodMs: number): Reservation {
  return { budgetNs: budgetMs * 1e6, periodNs: periodMs * 1e6 };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
