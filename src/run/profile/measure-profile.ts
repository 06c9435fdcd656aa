import { cpus, hostname, loadavg, release } from 'node:os';
import { timestamp } from '../../platform/clock.ts';
import { reasonOf } from '../../platform/failure.ts';
import { processorLimit } from '../../platform/machine-limits.ts';
import { version } from '../../platform/package.ts';
import type { MachineProfile } from '../../scenario/machine-profile.ts';
import { byteCosts, journalEntryCost } from './byte-costs.ts';
import { handoverCosts, idleShareCost, qemuStopCost, senderCosts } from './handover-costs.ts';
import { threadCosts, threadSwitchCost, timerLateness } from './thread-costs.ts';

/** With so many threads of others at work the profile is not of this machine alone. */
const BUSY_LOAD = 0.5;

/** For so long migrations of each kind are made, so that all of it takes less than a minute. */
const LIMITS_MS = { threads: 14_000, sender: 8_000, vm: 14_000, qemu: 7_000 } as const;

/**
 * Measures what a hand-over and its parts cost on this machine, by the parts that the worlds use. Other programs that run
 * meanwhile are measured too.
 * @param folder where the journal is tried
 * @param tell called with what is measured next
 * @throws Failure the world `threads` does not work here. Without QEMU the profile says nothing of virtual machines.
 */
export async function measureProfile(folder: string, tell: (what: string) => void): Promise<MachineProfile> {
  const [loadAverage = 0] = loadavg();
  if (loadAverage > BUSY_LOAD) {
    tell(`while other programs run, which are measured too (load ${loadAverage.toFixed(1)})`);
  }
  tell('copying, digests, hashes, the journal');
  const bytes = { ...byteCosts(), journalEntryNs: await journalEntryCost(folder) };
  tell('timers, context switches, messages, dispatched threads');
  const threads = {
    timerLatenessNs: timerLateness(),
    ...(await threadCosts()),
    threadSwitchNs: await threadSwitchCost(),
  };
  tell('migrations of a thread');
  const { dirtyScanNsPerMebibyte: _, ...handover } = await handoverCosts('threads', LIMITS_MS.threads);
  const sender = await senderCosts(LIMITS_MS.sender);
  return {
    schema: 'switchover.machine/1',
    name: hostname(),
    machine: {
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      processors: processorLimit().count,
      kernel: release(),
      node: process.version,
      switchover: version,
      measuredAt: timestamp(),
      loadAverage,
    },
    costs: { ...threads, ...sender, ...bytes },
    threads: handover,
    ...(await machines(tell)),
  };
}

/** Each part as far as it can be measured here. */
async function machines(tell: (what: string) => void): Promise<Pick<MachineProfile, 'vm' | 'qemu'>> {
  const found: { vm?: MachineProfile['vm']; qemu?: MachineProfile['qemu'] } = {};
  try {
    tell('migrations of a virtual machine');
    found.vm = { ...(await handoverCosts('vm', LIMITS_MS.vm)), idleShare: await idleShareCost() };
    found.qemu = await qemuStopCost(LIMITS_MS.qemu);
  } catch (cause) {
    tell(`no more of virtual machines: ${reasonOf(cause)}`);
  }
  return found;
}
