import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { controlGroups, numberNamed, numbersIn } from './control-groups.ts';

/** How much of something this process may use, and what says so. */
export interface Limit {
  readonly most: number;
  /** How much of it nobody uses at this moment. */
  readonly left: number;
  readonly by: string;
}

/** Unlimited memory in version 1 is the largest multiple of a page that fits into 63 bits. */
const UNLIMITED_BYTES = 2 ** 62;

/**
 * Everything that bounds the memory of this process, in bytes: the machine, each control group, and its resource limits.
 * A guest's memory takes addresses twice (shared-memory.ts), so a limit of addresses counts half.
 * @param root where /proc and /sys are
 */
export function memoryLimits(root = '/'): readonly Limit[] {
  const machine = { most: totalmem(), left: freemem(), by: 'the machine' };
  const groups = controlGroups('memory', root).flatMap((group) => {
    const isFirst = group.version === 1;
    const [used] = numbersIn(group, isFirst ? 'memory.usage_in_bytes' : 'memory.current') ?? [0];
    // The kernel takes it back before it kills.
    const cached = numberNamed(group, 'memory.stat', isFirst ? 'total_inactive_file' : 'inactive_file');
    const files = isFirst ? ['memory.limit_in_bytes'] : ['memory.max', 'memory.high'];
    return files.flatMap((file) => {
      const [most = UNLIMITED_BYTES] = numbersIn(group, file) ?? [];
      return most < UNLIMITED_BYTES
        ? [{ most, left: most - used! + cached, by: join(group.folder, file) }]
        : [];
    });
  });
  return [machine, ...groups, ...addressLimits(root)];
}

/** setrlimit(2): RLIMIT_AS and RLIMIT_DATA. */
function addressLimits(root: string): readonly Limit[] {
  const kinds = [
    ['Max address space', 'VmSize', 'ulimit -v'],
    ['Max data size', 'VmData', 'ulimit -d'],
  ] as const;
  return kinds.flatMap(([limit, usage, by]) => {
    const most = numberAfter(join(root, 'proc/self/limits'), limit);
    const used = 1024 * (numberAfter(join(root, 'proc/self/status'), `${usage}:`) ?? 0);
    return most === undefined ? [] : [{ most: most / 2, left: (most - used) / 2, by }];
  });
}

/** The first number in the line that begins so; undefined: there is none, or it says `unlimited`. */
function numberAfter(file: string, beginning: string): number | undefined {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(beginning));
    const number = Number(line?.slice(beginning.length).trim().split(/\s+/)[0]);
    return Number.isFinite(number) ? number : undefined;
  } catch {
    return undefined;
  }
}

/** The processors that this process may use. */
export interface ProcessorLimit {
  /** On so many its threads may run: affinity and cpuset. */
  readonly count: number;
  /** So many processors' time it gets in all, which need not be a whole number. At most `count`. */
  readonly time: number;
  /** What limits the time. */
  readonly by: string;
}

/** @param root where /proc and /sys are */
export function processorLimit(root = '/'): ProcessorLimit {
  const count = availableParallelism();
  const groups = controlGroups('cpu', root).flatMap((group) => {
    const isFirst = group.version === 1;
    const file = isFirst ? 'cpu.cfs_quota_us' : 'cpu.max';
    const [quotaUs = -1, ...rest] = numbersIn(group, file) ?? [];
    const [periodUs = 0] = isFirst ? (numbersIn(group, 'cpu.cfs_period_us') ?? []) : rest;
    return quotaUs > 0 && periodUs > 0 ? [{ time: quotaUs / periodUs, by: join(group.folder, file) }] : [];
  });
  const all = [{ time: count, by: 'the machine' }, ...groups];
  return { count, ...all.reduce((least, one) => (one.time < least.time ? one : least)) };
}
