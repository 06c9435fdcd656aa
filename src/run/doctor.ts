import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { Scheduler } from '../core/cpu/cpu-plan.ts';
import { formatDuration, formatSize } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { reasonOf } from '../platform/failure.ts';
import { fairClass } from '../platform/fair-class.ts';
import { schedSetattr } from '../platform/libc.ts';
import { memoryLimits, processorLimit } from '../platform/machine-limits.ts';
import { Processors, type ProcessorsOptions } from '../sched/processors.ts';
import type { GuestSpec } from '../workload/programs.ts';
import { machineFolder } from '../worlds/vm/qemu.ts';
import { ScriptMachine } from '../worlds/vm/script-machine.ts';
import { worldFactory } from '../worlds/worlds.ts';
import { timerLateness } from './profile/thread-costs.ts';

/** One thing that a user may need. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  readonly remedy?: string;
  /** Whether the shipped scenarios need it. */
  readonly needed: boolean;
}

/** Tries everything rather than asking for version numbers. */
export async function examine(): Promise<readonly Finding[]> {
  const quick = [node(), cores(), memory(), clock(), timer(), ordinaryThreads()];
  const machines = [await machine('tcg'), ...(existsSync('/dev/kvm') ? [await machine('kvm')] : [])];
  return [...quick, await destination(), await priority(), await deadline(), await dispatcher(), ...machines];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return finding('Node.js', true, ok, process.version, 'install Node.js 20.19 or newer');
}

function cores(): Finding {
  const { time, by } = processorLimit();
  return finding(
    'processors',
    false,
    time >= 2,
    `${Number(time.toFixed(2))} (${by})`,
    'guest, sender and destination share one processor: expect noise; two or more are better',
  );
}

function memory(): Finding {
  const { left, most, by } = memoryLimits().reduce((least, one) => (one.left < least.left ? one : least));
  const found = `${formatSize(Math.max(0, left))} of ${formatSize(most)} (${by})`;
  return finding('free memory', false, left >= 2 ** 30, found, 'choose guests of fewer pages');
}

/** The least step by which the clock is seen to advance. */
function clock(): Finding {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10_000; i++) {
    const step = -clockNs() + clockNs();
    if (step > 0) least = Math.min(least, step);
  }
  return finding('clock', true, least < 10_000, `steps of ${least} ns`, 'the clock is too coarse for pacing');
}

/** How late a thread wakes that sleeps 1 ms: what the depth of a bucket must cover. */
function timer(): Finding {
  const { median, p95 } = timerLateness();
  const text = `a sleep of 1 ms ends ${formatDuration(median)} late (median), ${formatDuration(p95)} (95 %)`;
  return finding('timer', false, p95 < 2e6, text, 'other programs or the host keep the processors busy');
}

/** What `cpu.scheduler: none` means here. In virtual time it means EEVDF everywhere. */
function ordinaryThreads(): Finding {
  const { name, sliceNs } = fairClass();
  const found = sliceNs === undefined ? name : `${name}, slices of ${formatDuration(sliceNs)}`;
  const remedy = 'cpu.scheduler none is EEVDF in virtual time, as of Linux 6.6: compare the worlds with care';
  return finding('ordinary threads', false, name === 'EEVDF', found, remedy);
}

function destination(): Promise<Finding> {
  return tried('world threads', true, 'allow processes and TCP on 127.0.0.1', async () => {
    const factory = await worldFactory('threads');
    await factory.close();
    return 'a destination process starts and listens on loopback';
  });
}

function priority(): Promise<Finding> {
  return tried('priorities', false, 'run as root or grant CAP_SYS_NICE', () => {
    const before = getPriority();
    setPriority(0, before - 1);
    setPriority(0, before);
    return 'may be raised';
  });
}

/** Asks for what the scheduler `deadline` asks for, and in the same way; only to reclaim takes more. */
function deadline(): Promise<Finding> {
  const more = schedSetattr() ? '' : '; cpu.reclaim needs koffi, which is not installed';
  return tried(
    'SCHED_DEADLINE',
    false,
    'the scheduler cbs-hard keeps reservations without the kernel',
    async () => {
      const cpu = await Processors.start(oneReservation('deadline'));
      await cpu.end();
      return `the kernel admits 2 ms every 10 ms${more}`;
    },
  );
}

/** The thread that keeps the reservations of the schedulers fair, cbs-soft and cbs-hard. */
async function dispatcher(): Promise<Finding> {
  const cpu = await Processors.start(oneReservation('cbs-hard'));
  await cpu.end();
  const found = cpu.dispatcher!.priority;
  // Who may lower the nice value has the privilege, but may be in a container whose group has no real-time budget.
  const missing =
    found === 'nice −20'
      ? 'give the control group time for SCHED_FIFO (cpu.rt_runtime_us)'
      : 'run as root or grant CAP_SYS_NICE';
  const remedy = `reservations are less exact while other programs run: ${missing}`;
  return finding('dispatcher', false, found === 'SCHED_FIFO', found, remedy);
}

function oneReservation(scheduler: Scheduler): ProcessorsOptions {
  const reservation = { budgetNs: 2e6, periodNs: 10e6 };
  return { scheduler, entities: [{ kind: 'hog', name: 'trial', reservation, processor: 0 }], reclaim: false };
}

/** Boots a virtual machine and waits for its guest to work: under KVM some hosts start one that then hangs. */
function machine(accelerator: 'tcg' | 'kvm'): Promise<Finding> {
  const remedy =
    accelerator === 'tcg'
      ? 'needed by the worlds vm and qemu-native: install qemu-system-x86, and koffi (npm install koffi)'
      : 'not needed: the worlds vm and qemu-native use TCG';
  return tried(`QEMU, ${accelerator.toUpperCase()}`, false, remedy, async () => {
    const beganAtNs = clockNs();
    const folder = machineFolder(randomUUID(), 'source');
    const options = { folder, heartbeats: null, outlives: false, accelerator, role: 'new guest' } as const;
    const booted = await ScriptMachine.create(TRIAL_GUEST, options);
    try {
      await booted.run();
      await booted.makesSteps(BOOT_MS);
    } finally {
      await booted.end();
    }
    return `a virtual machine boots and works within ${((clockNs() - beganAtNs) / 1e6).toFixed(0)} ms`;
  });
}

const BOOT_MS = 5_000;
const TRIAL_GUEST: GuestSpec = {
  name: 'trial',
  pages: 64,
  zeroPages: 0,
  pageSizeBytes: 4096,
  program: { kind: 'sequential', pages: 64, writesPerSecond: 1_000 },
  heartbeatPeriodNs: 10e6,
  cpuPerWriteNs: 0,
  seed: 1,
};

/** @param attempt says what was found, or fails and thereby says what was not */
async function tried(
  what: string,
  needed: boolean,
  remedy: string,
  attempt: () => Promise<string> | string,
): Promise<Finding> {
  try {
    return finding(what, needed, true, await attempt(), remedy);
  } catch (cause) {
    return finding(what, needed, false, reasonOf(cause), remedy);
  }
}

function finding(what: string, needed: boolean, ok: boolean, found: string, remedy: string): Finding {
  return ok ? { what, ok, found, needed } : { what, ok, found, needed, remedy };
}
