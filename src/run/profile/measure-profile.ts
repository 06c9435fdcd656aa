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

/** So many migrations of each kind that all of it takes less than a minute. */
const RUNS = { threads: 30, sender: 15, vm: 6, qemu: 4 } as const;

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
  tell(`${RUNS.threads + RUNS.sender} migrations of a thread`);
  const { dirtyScanNsPerMebibyte: _, ...handover } = await handoverCosts('threads', RUNS.threads);
  const sender = await senderCosts(RUNS.sender);
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

async function machines(tell: (what: string) => void): Promise<Pick<MachineProfile, 'vm' | 'qemu'>> {
  try {
    tell(`${RUNS.vm + RUNS.qemu} migrations of a virtual machine`);
    const vm = { ...(await handoverCosts('vm', RUNS.vm)), idleShare: await idleShareCost() };
    return { vm, qemu: await qemuStopCost(RUNS.qemu) };
  } catch (cause) {
    tell(`nothing of virtual machines: ${reasonOf(cause)}`);
    return {};
  }
}
