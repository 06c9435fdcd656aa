import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { insisting } from './checked.ts';
import { type FoundMachine, insistOnMachine, machineGuest } from './machine-plan.ts';
import {
  guestDefinition,
  guestDefinitionSchema,
  type RequestedMigration,
  type RequestedMigrationDocument,
  requestedMigration,
  type SharedLink,
} from './migration-request.ts';

/** What a machine of somebody else is, as far as a host can say. */
export function machineDefinition(machine: FoundMachine): GuestDefinition {
  return guestDefinition(guestDefinitionSchema.parse(machineGuest(machine)), 'machine');
}

const notByDaemons =
  'nothing: only switchover migrate reserves CPU time for the threads of a machine of somebody else';
const ofOurThreads = 'nothing: no thread of ours sends the pages of a machine of somebody else';

/**
 * How a machine of somebody else migrates that a host has by its monitor. A page costs what it costs in QEMU's stream.
 * @param over the link that others use too
 * @throws UsageError all that is wrong with it
 */
export function requestedMachineMigration(
  document: RequestedMigrationDocument,
  machine: FoundMachine,
  over?: SharedLink,
): RequestedMigration {
  const { background, sender, cpu } = document;
  insisting((insist) => {
    insistOnMachine(document, insist);
    insist(background.length === 0, 'background', ofOurThreads, `${background.length} programs`);
    insist(cpu.scheduler === undefined, 'cpu.scheduler', ofOurThreads, cpu.scheduler);
    for (const key of ['cpuPerPage', 'cpuPerHandover'] as const)
      insist(sender[key] === 0, `sender.${key}`, ofOurThreads, sender[key]);
    insist(!sender.reservation, 'sender.reservation', notByDaemons, sender.reservation);
  });
  const { guest } = machineDefinition(machine);
  return requestedMigration(document, guest, null, over, PAGE_RECORD_BYTES);
}
