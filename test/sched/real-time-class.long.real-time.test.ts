import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterEach, expect, test } from 'vitest';
import { kernelProcessors, type ThreadSettings } from '../../src/core/cpu/kernel-classes.ts';
import { clockNs } from '../../src/platform/clock.ts';

const processes: ChildProcess[] = [];
afterEach(() => {
  for (const one of processes.splice(0)) one.kill('SIGKILL');
});

const MS = 1e6;
const QUANTUM_NS = quantumNs();
const TICK_NS = 4 * MS;
/** What switches, ticks and interruptions add up to. Another choice of the kernel's would be seen: it moves slices by 20 ms and more. */
const ALLOWED_NS = 3 * TICK_NS;

/** When all have been told. */
const BEGINS_AFTER_NS = 50 * MS;

/** A thread of the real-time class: when it wakes, and how much it has to do. */
interface Job extends Required<Pick<ThreadSettings, 'policy' | 'priority'>> {
  readonly sleepMs?: number;
  readonly workMs: number;
}

/** Who had the processor from when to when, in the order of time; the first slice begins at 0. */
interface Slice {
  readonly who: number;
  readonly startNs: number;
  readonly endNs: number;
}

/** What such a process tells: pairs of instants. */
interface Told {
  readonly slices: readonly (readonly [startNs: number, endNs: number])[];
  readonly hasSlept: boolean;
}

const ATTEMPTS = 5;

/** All together less than the 950 ms after which the kernel lets others have the processor. */
const cases: readonly (readonly [name: string, jobs: readonly Job[]])[] = [
  [
    'FIFO runs equals one after the other, as they came',
    [
      { policy: 'fifo', priority: 50, workMs: 130 },
      { policy: 'fifo', priority: 50, sleepMs: 10, workMs: 60 },
      { policy: 'fifo', priority: 50, sleepMs: 20, workMs: 60 },
    ],
  ],
  [
    'a more urgent thread interrupts at once, and who was interrupted goes on before an equal that came meanwhile',
    [
      { policy: 'fifo', priority: 50, workMs: 90 },
      { policy: 'fifo', priority: 50, sleepMs: 15, workMs: 40 },
      { policy: 'fifo', priority: 60, sleepMs: 30, workMs: 25 },
    ],
  ],
  [
    'RR takes turns of a quantum among equals',
    [
      { policy: 'rr', priority: 50, workMs: 230 },
      { policy: 'rr', priority: 50, sleepMs: 10, workMs: 150 },
      { policy: 'rr', priority: 50, sleepMs: 20, workMs: 250 },
    ],
  ],
  [
    'RR beside FIFO: who has no quantum keeps the processor until it is done',
    [
      { policy: 'rr', priority: 50, workMs: 160 },
      { policy: 'fifo', priority: 50, sleepMs: 10, workMs: 180 },
      { policy: 'rr', priority: 40, sleepMs: 20, workMs: 50 },
      { policy: 'rr', priority: 60, sleepMs: 150, workMs: 20 },
    ],
  ],
];

for (const [name, jobs] of cases) {
  test(`${name}, by the kernel as simulated`, async ({ skip }) => {
    const missing = whyNot();
    skip(missing !== undefined, missing);
    const kernel = await undisturbed(jobs);
    if (!kernel) return skip(`a thread waited for others of its process in each of ${ATTEMPTS} attempts`);
    // The kernel counts quanta in ticks, and a tick comes at some instant after the first thread has begun.
    const turn = kernel[0]!.endNs;
    const sinceTickNs = Math.abs(QUANTUM_NS - turn) < TICK_NS ? Math.max(0, QUANTUM_NS - turn) : 0;
    const wokenAtNs = jobs.map((_, who) => kernel.find((one) => one.who === who)!.startNs);
    const ours = simulated(jobs, wokenAtNs, sinceTickNs);
    expect(ours.map(({ who }) => who)).toEqual(kernel.map(({ who }) => who));
    for (const [index, { startNs, endNs }] of kernel.entries()) {
      expect(Math.abs(startNs - ours[index]!.startNs)).toBeLessThan(ALLOWED_NS);
      expect(Math.abs(endNs - ours[index]!.endNs)).toBeLessThan(ALLOWED_NS);
    }
  });
}

function quantumNs(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/sched_rr_timeslice_ms', 'utf8')) * MS;
  } catch {
    return 100 * MS;
  }
}

function whyNot(): string | undefined {
  if (availableParallelism() < 2)
    return 'needs two processors: a real-time spinner keeps everybody else from its own';
  if (spawnSync('chrt', ['-f', '1', 'true']).status !== 0)
    return 'needs chrt and the privilege to set real-time priorities';
  return undefined;
}

async function undisturbed(jobs: readonly Job[]): Promise<Slice[] | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const slices = await slicesOf(jobs);
    if (slices) return slices;
  }
  return undefined;
}

async function slicesOf(jobs: readonly Job[]): Promise<Slice[] | undefined> {
  const all = await Promise.all(jobs.map(prepared));
  const beginsAtNs = clockNs() + BEGINS_AFTER_NS;
  const telling = all.map((one) => once(one, 'message') as Promise<[Told]>);
  for (const [who, { sleepMs = 0, workMs }] of jobs.entries()) {
    all[who]!.send({ atNs: beginsAtNs + sleepMs * MS, workNs: workMs * MS });
  }
  const told = await Promise.all(telling);
  if (told.some(([{ hasSlept }]) => hasSlept)) return undefined;
  const slices = told.flatMap(([{ slices }], who) =>
    slices.map(([startNs, endNs]) => ({ who, startNs, endNs })),
  );
  const beganNs = Math.min(...slices.map(({ startNs }) => startNs));
  return joined(
    slices
      .map(({ who, startNs, endNs }) => ({ who, startNs: startNs - beganNs, endNs: endNs - beganNs }))
      .sort((one, other) => one.startNs - other.startNs),
  );
}

/** A process whose main thread is of the real-time class, on the last processor. */
async function prepared({ policy, priority }: Job): Promise<ChildProcess> {
  const child = fork(new URL('./real-time-process.mjs', import.meta.url));
  processes.push(child);
  await once(child, 'message');
  const thread = String(child.pid);
  execFileSync('taskset', ['-pc', String(availableParallelism() - 1), thread], { stdio: 'ignore' });
  execFileSync('chrt', [policy === 'rr' ? '-r' : '-f', '-p', String(priority), thread]);
  return child;
}

/** Without the interruptions by somebody else. */
function joined(slices: readonly Slice[]): Slice[] {
  const all: Slice[] = [];
  for (const slice of slices) {
    const before = all.at(-1);
    if (before?.who === slice.who) all[all.length - 1] = { ...before, endNs: slice.endNs };
    else all.push(slice);
  }
  return all;
}

/** @param firstNs when each had the processor first: later than it woke, unless it interrupted */
function simulated(jobs: readonly Job[], firstNs: readonly number[], sinceTickNs: number): Slice[] {
  const slices: Slice[] = [];
  const cpu = kernelProcessors(
    'rt',
    1,
    jobs,
    {
      slice: (who, startNs, endNs) => slices.push({ who, startNs, endNs }),
    },
    { tickNs: TICK_NS, quantumNs: QUANTUM_NS },
  );
  const arrivals = jobs.map(({ sleepMs = 0, workMs }, who) => ({
    who,
    atNs: sleepMs * MS,
    workNs: workMs * MS,
  }));
  for (const { who, atNs, workNs } of arrivals.toSorted((one, other) => one.atNs - other.atNs)) {
    cpu.runUntil(sinceTickNs + Math.min(atNs, firstNs[who]!));
    cpu.arrive(who, workNs);
  }
  cpu.runUntil(sinceTickNs + 1_000 * MS);
  cpu.flush();
  return joined(slices).map((one) => ({
    ...one,
    startNs: one.startNs - sinceTickNs,
    endNs: one.endNs - sinceTickNs,
  }));
}
