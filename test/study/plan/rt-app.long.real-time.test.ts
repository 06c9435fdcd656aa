import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { longestStop } from '../../../src/core/schedulability/longest-stop.ts';

const MS = 1e6;
const PERIOD_NS = 100 * MS;
const reservation = { budgetNs: 3 * MS, periodNs: 5 * MS };
/** What a job is to take. */
const WORK_NS = 12 * MS;
/** What the longest stop is worked out for. */
const MOST_WORK_NS = Math.round(1.1 * WORK_NS);
/** At so many phases of the task's period. */
const STOPS = 14;

/** Why rt-app (Debian: rt-app) cannot run here under SCHED_DEADLINE; undefined: it can. */
function withoutRtApp(): string | undefined {
  if (spawnSync('rt-app', ['--help']).error) return 'no rt-app here';
  const asked = ['-d', '--sched-runtime', '3000000', '--sched-period', '5000000', '0', 'true'];
  return spawnSync('chrt', asked).status === 0 ? undefined : 'SCHED_DEADLINE is refused here';
}

const skipped = withoutRtApp();
if (skipped !== undefined) console.log(`the test with rt-app is skipped: ${skipped}`);

/** What became of the jobs of one run of rt-app. */
interface Ran {
  /** CPU time of a job, on average. */
  readonly workNs: number;
  /** When jobs that were late began and ended, by CLOCK_MONOTONIC. */
  readonly late: readonly Span[];
}

interface Span {
  readonly beganNs: number;
  readonly endedNs: number;
}

/**
 * Runs a task in a server (Q, P) of its own, which stands in for a guest.
 * @param loopNs how long rt-app's loop is taken to last, by which it makes work
 * @param during what happens to it
 */
async function run(loopNs: number, during: (pid: number) => Promise<void>): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'switchover-rt-app-'));
  const task = {
    policy: 'SCHED_DEADLINE',
    'dl-runtime': reservation.budgetNs / 1e3,
    'dl-period': reservation.periodNs / 1e3,
    'dl-deadline': reservation.periodNs / 1e3,
    run: WORK_NS / 1e3,
    timer: { ref: 'unique', period: PERIOD_NS / 1e3, mode: 'absolute' },
  };
  const global = { duration: -1, calibration: loopNs, logdir: folder, log_basename: 'jobs' };
  writeFileSync(join(folder, 'tasks.json'), JSON.stringify({ tasks: { control: task }, global }));
  const rtApp = spawn('rt-app', [join(folder, 'tasks.json')], { stdio: 'ignore' });
  const ended = once(rtApp, 'exit');
  try {
    await sleep(300);
    await during(rtApp.pid!);
    const cpuNs = cpuOf(rtApp.pid!);
    rtApp.kill('SIGINT');
    await ended;
    // idx perf run period start end rel_st slack …, in µs (rt-app, doc/tutorial.txt)
    const jobs = readFileSync(join(folder, 'jobs-control-0.log'), 'utf8')
      .split('\n')
      .filter((line) => /^\s*\d/.test(line))
      .map((line) => line.trim().split(/\s+/).map(Number));
    const late = jobs.filter(([, , , , , , , slack]) => slack! < 0);
    return {
      workNs: cpuNs / jobs.length,
      late: late.map(([, , , , start, end]) => ({ beganNs: start! * 1e3, endedNs: end! * 1e3 })),
    };
  } finally {
    rtApp.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

/** What its threads but the first one have had of the processors (/proc/PID/task/TID/schedstat). */
function cpuOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .filter((thread) => thread !== String(pid))
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0);
}

/** Stops a process for so long, again and again, each time at another phase of the period. */
async function stops(pid: number, stopNs: number): Promise<Span[]> {
  const found: Span[] = [];
  const still = new Int32Array(new SharedArrayBuffer(4));
  for (let count = 0; count < STOPS; count++) {
    await sleep((3 * PERIOD_NS * (1 + 1 / STOPS)) / MS);
    process.kill(pid, 'SIGSTOP');
    const beganNs = Number(process.hrtime.bigint());
    Atomics.wait(still, 0, 0, stopNs / MS);
    process.kill(pid, 'SIGCONT');
    found.push({ beganNs, endedNs: Number(process.hrtime.bigint()) });
  }
  return found;
}

/** A pause whose end came later than it was to come is longer than it was to be. */
function lastsLonger({ beganNs, endedNs }: Span, thanNs: number): boolean {
  return endedNs - beganNs > thanNs;
}

/** Late jobs that no such pause lies before, or in. */
function lateWithout(late: readonly Span[], pauses: readonly Span[]): readonly Span[] {
  const isAfter = (job: Span) => (pause: Span) =>
    job.endedNs > pause.beganNs && job.beganNs < pause.endedNs + PERIOD_NS;
  return late.filter((job) => !pauses.some(isAfter(job)));
}

/**
 * What came of such stops. A run says something only where its jobs took what they were to take. How fast the processor is
 * changes with what else the machine does, so that the loop is measured anew before each attempt.
 * @returns undefined: the speed changed too much in every attempt
 */
async function stoppedFor(
  stopNs: number,
): Promise<{ pauses: readonly Span[]; late: readonly Span[] } | undefined> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const trial = await run(20, () => sleep(1_500));
    const loopNs = Math.round((20 * trial.workNs) / WORK_NS);
    let pauses: readonly Span[] = [];
    const { workNs, late } = await run(loopNs, async (pid) => {
      pauses = await stops(pid, stopNs);
    });
    if (workNs > 0.9 * WORK_NS && workNs < MOST_WORK_NS) return { pauses, late };
  }
}

test.skipIf(skipped !== undefined)(
  'a real-time task that is paused for 0.9 L meets its deadlines, and paused for 1.2 L it does not meet them all',
  async (context) => {
    const task = { workNs: MOST_WORK_NS, periodNs: PERIOD_NS };
    const longestNs = longestStop({ policy: 'edf', tasks: [task] }, reservation).stopNs!;
    const kept = await stoppedFor(0.9 * longestNs);
    const missed = kept && (await stoppedFor(1.2 * longestNs));
    if (!missed) return context.skip('the processor changes its speed too much for jobs of a known length');
    const tooLong = kept.pauses.filter((pause) => lastsLonger(pause, longestNs));
    expect(tooLong.length).toBeLessThan(STOPS / 2);
    expect(lateWithout(kept.late, tooLong)).toEqual([]);
    expect(missed.late.length).toBeGreaterThan(0);
    expect(lateWithout(missed.late, missed.pauses)).toEqual([]);
  },
  120_000,
);
