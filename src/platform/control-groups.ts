import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export type Controller = 'memory' | 'cpu';

/** A folder in which the kernel shows what a group of processes may use. */
export interface ControlGroup {
  readonly version: 1 | 2;
  readonly folder: string;
}

/**
 * The control groups of a process, or a thread, that a controller looks at, innermost first: a limit of any of them binds it.
 * cgroups(7), proc_pid_mountinfo(5).
 * @param root where /proc and /sys are @param of the process or thread, as /proc names it
 */
export function controlGroups(
  controller: Controller,
  root = '/',
  of: string | number = 'self',
): readonly ControlGroup[] {
  const memberships = linesOf(join(root, 'proc', String(of), 'cgroup')).map((line) => line.split(':'));
  const mounts = linesOf(join(root, 'proc/self/mountinfo')).map(mountOf);
  const first = memberships.find(([, controllers]) => controllers?.split(',').includes(controller));
  const path = (first ?? memberships.find(([id]) => id === '0'))?.slice(2).join(':');
  const mount = mounts.find(({ kind, options }) =>
    first ? kind === 'cgroup' && options.includes(controller) : kind === 'cgroup2',
  );
  if (path === undefined || !mount) return [];
  // A container may see a part of the tree only, or be told a path above what it sees.
  const below = relative(mount.subtree, path);
  const steps = below.startsWith('..') ? [] : below.split('/').filter(Boolean);
  return Array.from({ length: steps.length + 1 }, (_, up) => ({
    version: first ? 1 : 2,
    folder: join(root, mount.at, ...steps.slice(0, steps.length - up)),
  }));
}

/** Numbers that a file of a group begins with; null: it is not there, or says `max`. */
export function numbersIn({ folder }: ControlGroup, file: string): readonly number[] | null {
  const [line] = linesOf(join(folder, file));
  const numbers = line?.split(' ').map(Number);
  return numbers?.every(Number.isFinite) ? numbers : null;
}

/** Words that a file of a group begins with. */
export function wordsIn({ folder }: ControlGroup, file: string): readonly string[] {
  return linesOf(join(folder, file))[0]?.split(' ') ?? [];
}

/** A number of a file that has one a line, after its name. */
export function numberNamed({ folder }: ControlGroup, file: string, name: string): number {
  const line = linesOf(join(folder, file)).find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

function mountOf(line: string) {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , subtree = '/', at = '/'] = before.split(' ');
  const [kind, , options = ''] = after.split(' ');
  return { subtree, at, kind, options: options.split(',') };
}

/** Of a file that is not there: none. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
