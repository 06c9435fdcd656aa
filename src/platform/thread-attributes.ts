import { readFileSync } from 'node:fs';
import { schedGetattr, schedSetattr } from './libc.ts';
import type { ErrorCode } from './thread-scheduling.ts';

/** Of `struct sched_attr`, as far as it is about when a thread runs (include/uapi/linux/sched/types.h: SCHED_ATTR_SIZE_VER0). */
const BYTES = 48;
const RUNTIME_AT_BYTE = 24;
/** Where the policy is one of these, the runtime is the slice (since Linux 6.12): SCHED_OTHER and SCHED_BATCH. */
const FAIR = [0, 3];
const SCHED_IDLE = 5;

/**
 * How the kernel schedules a thread of any process, to be given back to `setThreadAttributes`.
 * @returns undefined: there is no such thread, or koffi is not installed
 */
export function threadAttributes(thread: number): Uint8Array | undefined {
  const attributes = asTold(thread);
  const own = asTold(0);
  if (!attributes || !own) return undefined;
  const view = viewOf(attributes);
  // The kernel tells the slice that a thread has, not whether it asked for one: ours is the usual one.
  const isUsual =
    view.getBigUint64(RUNTIME_AT_BYTE, true) === viewOf(own).getBigUint64(RUNTIME_AT_BYTE, true);
  if (FAIR.includes(view.getUint32(4, true)) && isUsual) view.setBigUint64(RUNTIME_AT_BYTE, 0n, true);
  return attributes;
}

/** @returns what the kernel says against it */
export function setThreadAttributes(thread: number, attributes: Uint8Array): ErrorCode {
  return schedSetattr()?.(thread, attributes);
}

/** When a thread began, in ticks since the machine did: with its number, no other thread has it. Undefined: there is none. */
export function threadStart(thread: number): number | undefined {
  return statField(thread, 22);
}

/** Whether it takes turns with others, without a priority or a reservation. */
export function isFair(thread: number): boolean {
  return [...FAIR, SCHED_IDLE].includes(statField(thread, 41) ?? -1);
}

/** proc_pid_stat(5): the second field is the name, which may hold anything. */
function statField(thread: number, field: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${thread}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[field - 3]);
  } catch {
    return undefined;
  }
}

function asTold(thread: number): Uint8Array | undefined {
  const attributes = new Uint8Array(BYTES);
  const get = schedGetattr();
  return get && get(thread, attributes) === undefined ? attributes : undefined;
}

function viewOf({ buffer }: Uint8Array): DataView {
  return new DataView(buffer);
}
