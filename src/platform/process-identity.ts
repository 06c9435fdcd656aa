import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';

/** A process that can be told from a later one with the same number, also after the host was started again. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** The boot of the host and the tick at which the process began; empty where /proc is not to be had. */
  readonly started: string;
}

export const processSchema: z.ZodType<ProcessIdentity> = z.strictObject({
  host: z.string(),
  pid: z.number().int().positive(),
  started: z.string(),
});

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** Whether it still lives. Nothing can be said here of a process on another host. */
export function lives({ host, pid, started }: ProcessIdentity): boolean | 'elsewhere' {
  if (host !== hostname()) return 'elsewhere';
  if (started !== '') return startOf(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** proc(5): after the name in parentheses come the state, field 3, and the start in ticks since boot, field 22. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
