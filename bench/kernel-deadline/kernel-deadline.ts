import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Reservation } from '../../src/core/cpu/reservation.ts';
import { Random } from '../../src/core/random.ts';
import { quantile } from '../../src/study/statistics/estimate.ts';
import type { DeadlineWorkerData } from './deadline-worker.ts';
import { type Explained, explainedDecisions } from './explained-decisions.ts';
import { KernelTrace, OwnProcessor } from './kernel-trace.ts';

const SETS = 10;
const HORIZON_NS = 400e6;
const PROCESSOR = 1;

/** In µs. */
interface Server {
  readonly budgetUs: number;
  readonly periodUs: number;
  readonly jobs: DeadlineWorkerData['jobs'];
}

/**
 * Ten sets of threads under SCHED_DEADLINE on a processor of their own, as the kernel's trace has them, event by event against the
 * rules of core/cpu/cbs.ts. Needs root, tracefs, cpusets of version 1 and two processors, whose balancing of load it turns off
 * meanwhile.
 */
export async function kernelDeadline(): Promise<void> {
  const processor = new OwnProcessor(PROCESSOR);
  // Ordinary threads that starve beside this class get 50 ms of each second before it (fair_server).
  runOn('0');
  const idle: DeadlineWorkerData = { tasks: processor.tasks, reservation: null, jobs: [], words: wordsOf() };
  // A switch from the idle task is not traced, so there is always somebody else, who has what is left.
  const spinning = started(idle);
  try {
    await once(spinning, 'message');
    const all: Explained[] = [];
    for (let seed = 1; seed <= SETS; seed++) {
      const { events, reservations } = await traced(serversOf(seed), processor.tasks);
      all.push(explainedDecisions(events, reservations));
    }
    tell(all);
  } finally {
    await spinning.terminate();
    runOn(`0-${cpus().length - 1}`);
    await processor.end();
  }
}

function tell(all: readonly Explained[]): void {
  const sum = (of: (one: Explained) => number) => all.reduce((total, one) => total + of(one), 0);
  const told = (us: readonly number[]) => [0.5, 0.95, 1].map((q) => quantile(us, q).toFixed(0)).join(', ');
  console.log(`SCHED_DEADLINE, ${all.length} sets of one to three threads, traced by the kernel:`);
  console.log(
    `  ${sum((one) => one.decisions)} decisions, of which ${sum((one) => one.unexplained.length)} do not follow from the rules`,
  );
  console.log(
    `  budgets exceeded by ${told(all.flatMap((one) => one.overrunsUs))} µs (median, 95 %, most), turns begun ${told(all.flatMap((one) => one.waitsUs))} µs late`,
  );
  for (const what of all.flatMap((one) => one.unexplained)) console.log(`  ${what}`);
}

/** One to three servers of at most three quarters of a processor, whose jobs come early and late, short and long. */
function serversOf(seed: number): readonly Server[] {
  const random = Random.seeded(seed, 0);
  return Array.from({ length: 1 + (seed % 3) }, () => {
    const periodUs = 1000 * (6 + random.below(20));
    const budgetUs = Math.round(periodUs * (0.1 + 0.15 * random.uniform()));
    const jobs: [number, number][] = [];
    for (let at = 0; at < HORIZON_NS; at += periodUs * 1e3 * (0.3 + 1.5 * random.uniform())) {
      jobs.push([at, budgetUs * 1e3 * (0.2 + 1.6 * random.uniform())]);
    }
    return { budgetUs, periodUs, jobs };
  });
}

/** Carries these servers out under the kernel's class. @returns what it did with their threads */
async function traced(servers: readonly Server[], tasks: string) {
  const words = wordsOf();
  const workers = servers.map(({ budgetUs, periodUs, jobs }) =>
    started({
      ...{ tasks, jobs, words },
      reservation: { budgetNs: budgetUs * 1e3, periodNs: periodUs * 1e3 },
    }),
  );
  try {
    const begun = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    const threads: number[] = begun.map(({ thread, refused }) => {
      if (refused) throw new Error(`the kernel refuses a reservation: ${refused}`);
      return thread;
    });
    // All sleep, and for so long that nothing is left of their first budgets.
    await sleep(100);
    const trace = new KernelTrace(threads);
    try {
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
      while (Atomics.load(words, 1) < workers.length) await sleep(50);
      const inUs = ({ budgetUs, periodUs }: Server): Reservation => ({
        budgetNs: budgetUs,
        periodNs: periodUs,
      });
      const reservations = new Map(servers.map((server, index) => [threads[index]!, inUs(server)]));
      return { events: trace.read(threads), reservations };
    } finally {
      trace.end();
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function wordsOf(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

function started(workerData: DeadlineWorkerData): Worker {
  return new Worker(new URL('./deadline-worker.js', import.meta.url), { workerData });
}

/** All threads of this process; those that join a group of processors run there. */
function runOn(processors: string): void {
  execFileSync('taskset', ['-acp', processors, String(process.pid)]);
}
