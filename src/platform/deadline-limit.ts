import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { DeadlineLimit } from '../core/cpu/deadline-admission.ts';
import type { Reservation } from '../core/cpu/reservation.ts';

/** Since Linux 6.12 (kernel/sched/deadline.c: sched_init_dl_servers), unless somebody has changed it. */
const FAIR_SERVER: Reservation = { budgetNs: 50_000_000, periodNs: 1_000_000_000 };
const FAIR_SERVER_SINCE = [6, 12] as const;

/**
 * What this machine's kernel lets be reserved by SCHED_DEADLINE. Its fair server is read where debugfs can be, and otherwise
 * taken from the kernel's version.
 * @param root where /proc and /sys are
 */
export function deadlineLimit(root = '/', kernel = release()): DeadlineLimit {
  const rt = (name: string) => numberIn(join(root, 'proc/sys/kernel', `sched_rt_${name}_us`));
  const [runtimeUs = 950_000, periodUs = 1_000_000] = [rt('runtime'), rt('period')];
  const server = (name: string) => numberIn(join(root, 'sys/kernel/debug/sched/fair_server/cpu0', name));
  const [budgetNs, periodNs] = [server('runtime'), server('period')];
  const known = budgetNs !== undefined && periodNs !== undefined;
  return {
    most: runtimeUs < 0 ? null : { budgetNs: 1000 * runtimeUs, periodNs: 1000 * periodUs },
    kept: known ? { budgetNs, periodNs } : hasFairServer(kernel) ? FAIR_SERVER : null,
  };
}

function hasFairServer(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [sinceMajor, sinceMinor] = FAIR_SERVER_SINCE;
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

function numberIn(file: string): number | undefined {
  try {
    const number = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(number) ? number : undefined;
  } catch {
    return undefined;
  }
}
