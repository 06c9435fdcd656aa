import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Nanos } from '../core/units.ts';

/** Who decides about ordinary threads on this machine. */
export interface FairClass {
  /** EEVDF since Linux 6.6, CFS before. */
  readonly name: 'EEVDF' | 'CFS';
  /** What a thread asks for at a time; undefined: the kernel does not tell. */
  readonly sliceNs: Nanos | undefined;
}

/** By the kernel's version, and by what it tells of the calling thread (proc(5), sched). */
export function fairClass(): FairClass {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const name = major > 6 || (major === 6 && minor >= 6) ? 'EEVDF' : 'CFS';
  return { name, sliceNs: sliceNs() };
}

function sliceNs(): Nanos | undefined {
  try {
    const slice = /^se\.slice\s*:\s*(\d+)/m.exec(readFileSync('/proc/thread-self/sched', 'utf8'))?.[1];
    return slice === undefined ? undefined : Number(slice);
  } catch {
    return undefined;
  }
}
