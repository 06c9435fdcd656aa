import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { cpus, getPriority, setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { deadlineReservable } from '../core/cpu/deadline-admission.ts';
import { type Reservation, shareOf } from '../core/cpu/reservation.ts';
import { formatDuration, type Nanos } from '../core/units.ts';
import { deadlineLimit } from './deadline-limit.ts';
import { deadlineHeld } from './deadline-threads.ts';
import { type SchedSetattr, schedSetattr } from './libc.ts';

/** Priorities of SCHED_FIFO: who decides goes before whom it decides about, where they may have to share a processor. */
export const fifo = { reserved: 1, decides: 2 } as const;

/** What the kernel says to a request about the scheduling of a thread: undefined if it grants it, or `EPERM`, `EBUSY`, … */
export type ErrorCode = string | undefined;

/** include/uapi/linux/sched.h */
const policies = { other: 0, fifo: 1, deadline: 6 } as const;
/** The shortest that the kernel takes (kernel/sched/syscalls.c: __setparam_fair). */
const SHORTEST_SLICE_NS = 100_000;
/** Children are ordinary threads again. Without it a SCHED_DEADLINE thread can make none, and Node aborts. */
const SCHED_FLAG_RESET_ON_FORK = 1;
const SCHED_FLAG_RECLAIM = 2;

/** Where chrt(1) tells what went wrong only in words. */
const chrtErrors = {
  'Device or resource busy': 'EBUSY',
  'Operation not permitted': 'EPERM',
  'Invalid argument': 'EINVAL',
} as const;

/**
 * SCHED_DEADLINE with deadline = period. `reclaim`: may also use what other reservations leave. `thread`: another
 * one than the calling thread, also of another process.
 */
export function setDeadline(
  reservation: Reservation,
  { reclaim, thread = 0 }: { reclaim: boolean; thread?: number },
): ErrorCode {
  const { budgetNs, periodNs } = reservation;
  const request = attributes('deadline', { reservation, reclaim });
  if (reclaim) {
    // chrt(1) does not know of it.
    const call = schedSetattr();
    return call ? call(thread, request) : 'ENOSYS';
  }
  const times = ['--sched-runtime', budgetNs, '--sched-deadline', periodNs, '--sched-period', periodNs];
  return change(thread, request, ['-d', ...times.map(String), '-p', '0']);
}

/** SCHED_FIFO: before all ordinary threads, after the reserved ones. `thread`: another one than the calling thread. */
export function setFifo(priority: number, thread = 0): ErrorCode {
  return change(thread, attributes('fifo', { priority }), ['-f', '-p', String(priority)]);
}

/**
 * An ordinary thread with this nice value. Asked for without koffi, so in any thread but a process's first, those that it starts inherit it.
 * `thread`: another one than the calling thread.
 */
export function setNice(nice: number, thread = 0): ErrorCode {
  const call = lastingCall();
  if (call) return call(thread, attributes('other', { nice }));
  try {
    setPriority(thread || threadId(), nice);
    return undefined;
  } catch (cause) {
    return (cause as { info?: { code: string } }).info?.code ?? 'EPERM';
  }
}

/**
 * An ordinary thread with this nice value that works in short pieces: when it wakes, it interrupts a thread with a longer slice and
 * does not wait for that slice to end (kernel/sched/fair.c: PREEMPT_SHORT, since Linux 6.12; earlier kernels ignore the slice).
 * Without koffi nothing is done, since the threads that it starts would inherit the nice value.
 */
export function goFirst(nice: number): void {
  const call = schedSetattr();
  // Where the nice value is not permitted, the slice is.
  if (call?.(0, attributes('other', { nice, sliceNs: SHORTEST_SLICE_NS })) === 'EPERM') {
    call(0, attributes('other', { sliceNs: SHORTEST_SLICE_NS }));
  }
}

/** The calling thread goes first if the process's main thread does. */
export function goFirstWithMainThread(): void {
  const nice = getPriority(process.pid);
  if (nice < 0) goFirst(nice);
}

/** What a thread that must not be kept waiting has obtained. */
export type Raised = 'SCHED_FIFO' | 'nice −20' | 'no priority';

/**
 * Puts a thread before all ordinary ones, as far as that is permitted.
 * @param hasRoom whether some processor is left without a reserved thread. If so it is enough to be as urgent as
 *   these: the kernel moves one that wakes beside its equal to where it disturbs less, but lets one that is more urgent
 *   interrupt whatever runs where it ran last (kernel/sched/rt.c: select_task_rq_rt)
 */
export function raise(thread: number, hasRoom: boolean): Raised {
  if (setFifo(hasRoom ? fifo.reserved : fifo.decides, thread) === undefined) return 'SCHED_FIFO';
  return setNice(-20, thread) === undefined ? 'nice −20' : 'no priority';
}

/** The calling thread's number, by which the kernel knows it. */
export function threadId(): number {
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}

/** A refusal as a sentence with the remedy. `asked`: the reservation, if it is one that was refused. */
export function whyRefused(code: string, asked: Reservation | null = null): string {
  const what = asked
    ? `the reservation of ${formatDuration(asked.budgetNs)} every ${formatDuration(asked.periodNs)}`
    : 'the priority';
  const figures = code === 'EBUSY' && asked ? `${whatIsLeft(asked)}; ` : '';
  return `the kernel refuses ${what}: ${figures}${reasons[code] ?? code}`;
}

/** What is asked for, beside what, and out of what. */
function whatIsLeft(asked: Reservation): string {
  const { own, others } = deadlineHeld();
  const processors = cpus().length;
  const most = deadlineReservable(processors, deadlineLimit());
  const [share, ours, theirs, all] = [shareOf(asked), own, others, most].map((one) => one.toFixed(2));
  return `${share} of a processor is asked for, this run holds ${ours} already and others ${theirs}, of ${all} that the kernel lets be reserved of ${processors} ${processors === 1 ? 'processor' : 'processors'}`;
}

const reasons: Readonly<Record<string, string>> = {
  EBUSY:
    'not enough processor time is left (EBUSY): reserve less, ' +
    'end other reserved threads, or lift the limit with `sysctl kernel.sched_rt_runtime_us=-1`',
  EPERM: 'missing privilege (EPERM): run as root, grant CAP_SYS_NICE, or use the scheduler cbs-hard',
  EINVAL: 'the kernel accepts periods from 100 µs to 4.19 s and budgets from 1024 ns to the period (EINVAL)',
  ENOSYS: 'cpu.reclaim needs koffi (ENOSYS): `npm install koffi`',
  ENOENT: 'setting it needs koffi or chrt (ENOENT): `npm install koffi`, or install util-linux',
};

/** `struct sched_attr`, include/uapi/linux/sched/types.h. */
function attributes(
  policy: keyof typeof policies,
  asked: { nice?: number; sliceNs?: Nanos; priority?: number; reservation?: Reservation; reclaim?: boolean },
): Uint8Array {
  const { nice = 0, sliceNs = 0, priority = 0, reservation, reclaim = false } = asked;
  const view = new DataView(new ArrayBuffer(48));
  view.setUint32(0, view.byteLength, true);
  view.setUint32(4, policies[policy], true);
  view.setUint32(8, SCHED_FLAG_RESET_ON_FORK | (reclaim ? SCHED_FLAG_RECLAIM : 0), true);
  view.setInt32(16, nice, true);
  view.setUint32(20, priority, true);
  view.setBigUint64(24, BigInt(sliceNs), true);
  if (reservation) {
    view.setBigUint64(24, BigInt(reservation.budgetNs), true);
    view.setBigUint64(32, BigInt(reservation.periodNs), true);
    view.setBigUint64(40, BigInt(reservation.periodNs), true);
  }
  return new Uint8Array(view.buffer);
}

/** koffi does it in microseconds, chrt(1) in milliseconds. */
function change(thread: number, request: Uint8Array, options: readonly string[]): ErrorCode {
  const lasting = lastingCall();
  if (lasting) return lasting(thread, request);
  const code = chrt(options, thread || threadId());
  const other = code === 'ENOENT' ? schedSetattr() : undefined;
  return other ? other(thread, request) : code;
}

/** Not in threads, which come and go: what koffi has taken for one is never freed, and neither are its mappings. */
function lastingCall(): SchedSetattr | undefined {
  return isMainThread ? schedSetattr() : undefined;
}

function chrt(options: readonly string[], thread: number): ErrorCode {
  const command = ['-R', ...options, String(thread)];
  const tried = spawnSync('chrt', command, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  if (tried.error) return (tried.error as NodeJS.ErrnoException).code ?? tried.error.message;
  if (tried.status === 0) return undefined;
  const known = Object.entries(chrtErrors).find(([words]) => tried.stderr.includes(words));
  return known?.[1] ?? tried.stderr.trim();
}
