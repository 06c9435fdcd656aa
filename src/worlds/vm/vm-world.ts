import { randomUUID } from 'node:crypto';
import { schedEntitiesBesidesGuest } from '../../core/cpu/cpu-plan.ts';
import { formatSize } from '../../core/units.ts';
import { LARGEST_PAGE_FRAME_BYTES } from '../../core/wire/frames.ts';
import { Refusal } from '../../platform/failure.ts';
import { Processors } from '../../sched/processors.ts';
import type { DestinationThere } from '../../transport/address.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { OutgoingMigration } from '../outgoing/outgoing-migration.ts';
import { machineFolder } from './qemu.ts';
import { ScriptGuest } from './script-guest.ts';
import { Vcpu } from './vcpu.ts';
import type { BootVmGuest } from './vm-guest.ts';
import { VmSourceGuest } from './vm-source-guest.ts';

export interface VmOptions {
  readonly destination: Pick<DestinationThere, 'host' | 'port'>;
  /** The folder where the source keeps its journal; without it, none is kept. */
  readonly journals?: string | undefined;
}

/**
 * A real virtual machine: the guest runs in QEMU, over memory that it shares with us; our sender moves its pages as the plan
 * says, and what it is beyond its pages, in the hand-over; the destination is another QEMU under another process.
 * @returns the migration; the destination knows of the guest, and the guest runs
 * @throws Failure any of that is not possible; nothing has been left behind
 */
export async function vmWorld(
  spec: MigrationSpec,
  { destination, journals }: VmOptions,
  boot: BootVmGuest = ScriptGuest.boot,
): Promise<OutgoingMigration> {
  const { guest, plan, cpu } = spec;
  if (spec.deltas && guest.pageSizeBytes > LARGEST_PAGE_FRAME_BYTES) {
    const most = formatSize(LARGEST_PAGE_FRAME_BYTES);
    throw new Refusal(`vm.delta: pages of at most ${most}, because larger ones are sent in pieces`);
  }
  const migration = randomUUID();
  const parts: { end(): Promise<void> }[] = [];
  try {
    const folder = machineFolder(migration, 'source');
    const vmGuest = await boot(spec, { folder, outlives: journals !== undefined });
    parts.push(vmGuest);
    const vcpu = await Vcpu.of(vmGuest.machine.qemu);
    if (cpu.guest) vcpu.reserve(cpu.guest, cpu.scheduler, cpu.reclaim);
    const processors = await Processors.start({ ...cpu, entities: schedEntitiesBesidesGuest(cpu) });
    parts.push(processors);
    const to = { ...destination, key: null };
    const source = new VmSourceGuest(spec, vmGuest, vcpu, processors);
    return await OutgoingMigration.begin(source, { migration, plan, to, journals, parts });
  } catch (cause) {
    for (const part of parts.toReversed()) await part.end();
    throw cause;
  }
}
