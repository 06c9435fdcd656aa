import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CpuPlan, competitors, isHog } from '../../core/cpu/cpu-plan.ts';
import { NANOS_PER_MILLISECOND } from '../../core/units.ts';
import { Cpu } from '../cpu/cpu.ts';
import { reasonOf } from '../failure.ts';
import { phaseNs } from '../phase.ts';
import { SenderThread } from '../transfer/sender-thread.ts';
import { type JournalOptions, SourceJournal } from '../transfer/source-journal.ts';
import { ViewerThread } from '../viewer/viewer-thread.ts';
import type { WorldSetup } from '../world.ts';
import { PAGES_AT } from './boot/layout.ts';
import { Machine } from './machine.ts';
import { machineFolder } from './machine-folder.ts';
import type { VmSenderData, VmSenderRequests, VmSenderResults } from './sender-worker.ts';
import { Vcpu } from './vcpu.ts';

type VmSender = SenderThread<VmSenderRequests, VmSenderResults>;

/** What one migration of a virtual machine takes at its source. */
export interface VmParts {
  readonly machine: Machine;
  readonly sender: VmSender;
  readonly viewer: ViewerThread;
  readonly cpu: Cpu;
  readonly journal: SourceJournal;
  readonly vcpu: Vcpu;
}

const VIEWER_HOST = '127.0.0.1';

/** The guest runs, and the destination has been greeted. @throws Failure any of that is not possible; nothing is left. */
export async function startParts(setup: WorldSetup, options: JournalOptions): Promise<VmParts> {
  const { guest, plan, cpu: wanted } = setup;
  const migration = randomUUID();
  const token = randomInt(2 ** 32);
  let journal: SourceJournal | undefined;
  const ends: (() => Promise<void>)[] = [];
  try {
    const viewer = await ViewerThread.listen(
      { host: VIEWER_HOST, token, periodNs: guest.heartbeatPeriodNs },
      'worlds/vm/console-viewer-worker',
    );
    ends.push(() => viewer.end());
    const heartbeats = { host: VIEWER_HOST, port: viewer.port, token };
    const machine = await Machine.create(guest, {
      folder: machineFolder(migration, 'source'),
      heartbeats,
      outlives: options.journals !== undefined,
      role: 'new guest',
    });
    ends.push(() => machine.end());
    const vcpu = new Vcpu(machine.pid, await machine.vcpuThread());
    if (wanted.guest) vcpu.reserve(wanted.guest, wanted.scheduler, wanted.reclaim);
    const cpu = await startCpu(wanted);
    ends.push(() => cpu.end());
    const data: Omit<VmSenderData, 'allowance'> = {
      ram: machine.ram.place,
      pagesAtByte: PAGES_AT,
      pages: guest.pages,
      pageSizeBytes: guest.pageSizeBytes,
      depthBytes: plan.depthBytes,
      cpuPerPageNs: wanted.cpuPerPageNs,
      cpuPerHandoverNs: wanted.cpuPerHandoverNs,
      turn: cpu.turnOf('sender'),
    };
    const sender: VmSender = new SenderThread('worlds/vm/sender-worker', data);
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
    return { machine, sender, viewer, cpu, journal, vcpu };
  } catch (cause) {
    journal?.remark('aborted', reasonOf(cause));
    for (const end of ends) await end();
    throw cause;
  }
}

export async function endParts({ machine, sender, viewer, cpu, journal }: VmParts): Promise<void> {
  journal.close();
  await Promise.all([sender.end(), viewer.end(), cpu.end()]);
  await machine.end();
}

/** The sender takes its turns among hogs; the machine's own thread is the kernel's. */
function startCpu(plan: CpuPlan): Promise<Cpu> {
  const all = competitors(plan).filter(({ name }) => name !== 'guest');
  return Cpu.start({
    scheduler: plan.scheduler,
    reclaim: plan.reclaim,
    entities: all.filter((entity) => !isHog(entity)),
    hogs: all.filter(isHog),
  });
}
