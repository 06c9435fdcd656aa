import { getSystemErrorName } from 'node:util';
import { koffi } from './koffi.ts';

/** sched_setattr(2); thread 0 is the calling one. @returns the name of the error, or undefined if there was none */
export type SchedSetattr = (thread: number, attributes: Uint8Array) => string | undefined;

/** The C library has no sched_setattr: these are the numbers of the system call. */
const SCHED_SETATTR: Readonly<Partial<Record<string, number>>> = { x64: 314, arm64: 274 };

/**
 * Undefined where koffi is not installed, which is no error: there are slower ways to everything. Loaded when it is first
 * asked for: koffi never frees the 43 KB that it keeps for a thread, nor three mappings of the 65,530 that a process may have
 * (vm.max_map_count).
 */
export function schedSetattr(): SchedSetattr | undefined {
  if (!wasSought && process.platform === 'linux') found = load();
  wasSought = true;
  return found;
}

let found: SchedSetattr | undefined;
let wasSought = false;

function load(): SchedSetattr | undefined {
  const number = SCHED_SETATTR[process.arch];
  const calls = number === undefined ? undefined : koffi();
  if (!calls) return undefined;
  const syscall = calls
    .load(null)
    .func('long syscall(long number, int thread, void *attributes, uint flags)');
  return (thread, attributes) =>
    syscall(number, thread, attributes, 0) === 0 ? undefined : getSystemErrorName(-calls.errno());
}
