import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuPlan, isHog, schedEntities } from '../../core/cpu/cpu-plan.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { reasonOf } from '../../platform/failure.ts';
import { Processors } from '../../sched/processors.ts';
import { SenderThread } from '../../transport/sender-thread.ts';
import { type JournalOptions, SourceJournal } from '../../transport/source-journal.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { phaseNs } from '../phase.ts';
import { machineFolder } from './machine-folder.ts';
import { Vcpu } from './vcpu.ts';
import type { BootVmGuest, VmGuest, VmSender } from './vm-guest.ts';
import type { VmSenderData } from './vm-sender-worker.ts';

/** What one migration of a virtual machine takes at its source. */
export interface VmParts {
  readonly vmGuest: VmGuest;
  readonly sender: VmSender;
  readonly cpu: Processors;
  readonly journal: SourceJournal;
  readonly vcpu: Vcpu;
}

/** The guest runs, and the destination has been greeted. @throws Failure any of that is not possible; nothing is left. */
export async function startParts(
  setup: MigrationSpec,
  options: JournalOptions,
  movesIn: BootVmGuest,
): Promise<VmParts> {
  const { guest, plan, cpu: wanted } = setup;
  const migration = randomUUID();
  let journal: SourceJournal | undefined;
  const ends: (() => Promise<void>)[] = [];
  try {
    const folder = machineFolder(migration, 'source');
    const vmGuest = await movesIn(setup, { folder, outlives: options.journals !== undefined });
    ends.push(() => vmGuest.end());
    const { machine, heartbeats } = vmGuest;
    const vcpu = new Vcpu(machine.pid, await machine.vcpuThread());
    if (wanted.guest) vcpu.reserve(wanted.guest, wanted.scheduler, wanted.reclaim);
    const cpu = await startCpu(wanted);
    ends.push(() => cpu.end());
    const data: Omit<VmSenderData, 'allowance'> = {
      ram: machine.ram.place,
      pagesAtByte: machine.pagesAtByte,
      pages: guest.pages,
      pageSizeBytes: guest.pageSizeBytes,
      depthBytes: plan.depthBytes,
      deltas: setup.deltas ?? false,
      cpuPerPageNs: wanted.cpuPerPageNs,
      cpuPerHandoverNs: wanted.cpuPerHandoverNs,
      thread: cpu.threadDataOf('sender'),
    };
    const sender: VmSender = new SenderThread('worlds/vm/vm-sender-worker', data);
    // Before the memory that it looks at.
    ends.unshift(() => sender.end());
    await cpu.admitted();
    journal = new SourceJournal(options, guest, migration);
    const { scheduler } = wanted;
    const reservation = wanted.guest && { ...wanted.guest, scheduler };
    const hello = { migration, guest, heartbeats, reservation };
    await sender.ask('greet', { to: { ...options.destination, key: null }, hello });
    await machine.run();
    await sleep(phaseNs(setup) / NANOS_PER_MILLISECOND);
    return { vmGuest, sender, cpu, journal, vcpu };
  } catch (cause) {
    journal?.remark('aborted', reasonOf(cause));
    for (const end of ends) await end();
    throw cause;
  }
}

export async function endParts({ vmGuest, sender, cpu, journal }: VmParts): Promise<void> {
  journal.close();
  await Promise.all([sender.end(), cpu.end()]);
  await vmGuest.end();
}

/** The sender takes its turns among hogs; the machine's own thread is the kernel's. */
function startCpu(plan: CpuPlan): Promise<Processors> {
  const all = schedEntities(plan).filter(({ name }) => name !== 'guest');
  return Processors.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}
