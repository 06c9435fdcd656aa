import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type Reservation, shareOf } from '../core/cpu/reservation.ts';

/** include/uapi/linux/sched.h */
const SCHED_DEADLINE = 6;

/** What the kernel has reserved at this moment, as parts of one processor, as far as this process can see. */
export interface DeadlineHeld {
  /** By this process, by those that it has started, and by the one that has started it to talk to it. */
  readonly own: number;
  readonly others: number;
}

/** Looks at every thread of the machine, so it is for those who have been refused. */
export function deadlineHeld(): DeadlineHeld {
  const held = { own: 0, others: 0 };
  // Whoever was forked by a program of ours is a part of the same run.
  const family = new Set([process.pid, ...(process.connected ? [process.ppid] : [])]);
  for (const { thread, process: owner, parent } of reservedThreads()) {
    const reservation = reservationOf(thread);
    const isOwn = family.has(owner) || family.has(parent);
    if (reservation) held[isOwn ? 'own' : 'others'] += shareOf(reservation);
  }
  return held;
}

interface ReservedThread {
  readonly thread: number;
  readonly process: number;
  readonly parent: number;
}

function* reservedThreads(): Generator<ReservedThread> {
  for (const owner of numbersIn('/proc')) {
    for (const thread of numbersIn(`/proc/${owner}/task`)) {
      const [parent, policy] = statOf(`/proc/${owner}/task/${thread}/stat`) ?? [];
      if (policy === SCHED_DEADLINE) yield { thread, process: owner, parent: parent! };
    }
  }
}

/** proc_pid_stat(5): after the name, which may hold anything, the 4th field is the parent and the 41st the policy. */
function statOf(file: string): readonly [parent: number, policy: number] | undefined {
  const text = read(file);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields && [Number(fields[1]), Number(fields[38])];
}

/** As chrt(1) tells it; undefined: the thread has ended meanwhile, or chrt is not installed. */
function reservationOf(thread: number): Reservation | undefined {
  const { stdout } = spawnSync('chrt', ['-p', String(thread)], { encoding: 'utf8' });
  const found = /(\d+)\/\d+\/(\d+)\s*$/m.exec(stdout ?? '');
  return found ? { budgetNs: Number(found[1]), periodNs: Number(found[2]) } : undefined;
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
