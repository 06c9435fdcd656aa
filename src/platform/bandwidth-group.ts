import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fairWeight } from '../core/cpu/fair-weight.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import { type ControlGroup, controlGroups, wordsIn } from './control-groups.ts';
import { Failure, reasonOf } from './failure.ts';
import { isFair } from './thread-attributes.ts';

/**
 * A control group for one thread of somebody's process, inside the group where that thread was: the kernel lets what is in it run for
 * a budget in every period, and promises it nothing (Documentation/scheduler/sched-bwc.rst). Plain, so that it can be written down.
 */
export interface BandwidthGroup extends ControlGroup {
  /** Version 2: whether the group above it did not hand the controller on, and has to be told so again afterwards. */
  readonly isHandedOn: boolean;
}

/** Who is in a group, by threads, and what keeps a budget there. */
const files = {
  1: { threads: 'tasks', budget: 'cpu.cfs_quota_us' },
  2: { threads: 'cgroup.threads', budget: 'cpu.max' },
} as const;
const HANDED_ON = 'cgroup.subtree_control';

/** How often a thread that a thread of the group has begun meanwhile is fetched out of it. */
const ATTEMPTS = 5;

/** What a record calls the means. */
export function bandwidthFile({ version }: Pick<ControlGroup, 'version'>): 'cpu.cfs_quota_us' | 'cpu.max' {
  return files[version].budget;
}

/**
 * The group that a thread like this one would have. Nothing is made yet.
 * @param thread as /proc names it @throws Failure its control groups have no cpu controller, or would not limit it
 */
export function bandwidthGroupFor(thread: number, name: string): BandwidthGroup {
  if (!isFair(thread)) throw new Failure('it limits ordinary threads only, and this one has a priority');
  const [above] = controlGroups('cpu', '/', thread);
  if (!above || (above.version === 2 && !wordsIn(above, 'cgroup.controllers').includes('cpu'))) {
    throw new Failure('its control group has no cpu controller');
  }
  const { version, folder } = above;
  const isHandedOn = version === 2 && !wordsIn(above, HANDED_ON).includes('cpu');
  return { version, folder: join(folder, name), isHandedOn };
}

/**
 * Makes the group, with nothing in it.
 * @param nice of the thread: within its budget the group competes with others as the thread did
 * @throws Failure the kernel refuses it, and why; it is not there then
 */
export function makeBandwidthGroup(
  group: BandwidthGroup,
  { budgetNs, periodNs }: Reservation,
  nice: number,
): void {
  const [budgetUs, periodUs] = [budgetNs, periodNs].map((ns) => Math.floor(ns / 1000));
  const { version, folder, isHandedOn } = group;
  try {
    mkdirSync(folder);
    if (version === 1) {
      writeFileSync(join(folder, 'cpu.shares'), String(fairWeight(nice)));
      writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodUs));
      writeFileSync(join(folder, files[1].budget), String(budgetUs));
    } else {
      writeFileSync(join(folder, 'cgroup.type'), 'threaded');
      if (isHandedOn) writeFileSync(join(dirname(folder), HANDED_ON), '+cpu');
      writeFileSync(join(folder, 'cpu.weight.nice'), String(nice));
      writeFileSync(join(folder, files[2].budget), `${budgetUs} ${periodUs}`);
    }
  } catch (cause) {
    removeBandwidthGroup(group);
    throw new Failure(`${folder}: ${whyNot(cause)}`);
  }
}

/** @throws Failure the kernel refuses it, and why */
export function enterBandwidthGroup({ version, folder }: BandwidthGroup, thread: number): void {
  try {
    writeFileSync(join(folder, files[version].threads), String(thread));
  } catch (cause) {
    throw new Failure(`${folder}: ${whyNot(cause)}`);
  }
}

/**
 * Threads that are in it go back to where it was made. One that is not there is none to remove.
 * @returns whether any thread was in it @throws Failure it stays
 */
export function removeBandwidthGroup({ version, folder, isHandedOn }: BandwidthGroup): boolean {
  const above = dirname(folder);
  let wasUsed = false;
  for (let attempt = 1; existsSync(folder); attempt++) {
    try {
      for (const thread of threadsIn({ version, folder })) {
        wasUsed = true;
        returned(join(above, files[version].threads), thread);
      }
      rmdirSync(folder);
    } catch (cause) {
      if (attempt === ATTEMPTS) throw new Failure(`cannot remove ${folder}: ${reasonOf(cause)}`);
    }
  }
  // Where others have groups by now, their limits would go with it.
  if (isHandedOn && existsSync(above) && !hasGroups(above)) writeFileSync(join(above, HANDED_ON), '-cpu');
  return wasUsed;
}

function hasGroups(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory());
}

function threadsIn({ version, folder }: ControlGroup): readonly string[] {
  return readFileSync(join(folder, files[version].threads), 'utf8').split('\n').filter(Boolean);
}

/** A thread that has ended meanwhile is nowhere. */
function returned(file: string, thread: string): void {
  try {
    writeFileSync(file, thread);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}

/** kernel/sched/core.c: tg_set_cfs_bandwidth */
function whyNot(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code === 'EINVAL'
    ? 'the kernel takes periods from 1 ms to 1 s and budgets from 1 ms, of which the groups above must have as much (EINVAL)'
    : reasonOf(cause);
}
