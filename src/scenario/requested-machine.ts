import { freeCpu, type KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import { PAGE_RECORD_BYTES } from '../qemu/stream-layout.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import { insisting } from './checked.ts';
import { checkCpu } from './cpu.ts';
import { type FoundMachine, insistOnKernel, insistOnMachine, machineGuest } from './machine-plan.ts';
import {
  guestDefinition,
  guestDefinitionSchema,
  type RequestedMigration,
  type RequestedMigrationDocument,
  requestedMigration,
  type SharedLink,
} from './migration-request.ts';

/** What a machine of somebody else is, as far as a host can say. @param reservation of each of its processors, while it leaves */
export function machineDefinition(
  machine: FoundMachine,
  reservation: KeptReservation | null = null,
): GuestDefinition {
  const { guest } = guestDefinition(guestDefinitionSchema.parse(machineGuest(machine)), 'machine');
  return { guest, reservation };
}

/** @param where its problems are @throws UsageError the kernel, which alone can keep it, would not take it */
export function machineReservation(
  reservation: Reservation | undefined,
  where: string,
): KeptReservation | null {
  if (!reservation) return null;
  const kept = { ...reservation, scheduler: 'deadline' } as const;
  const placed = (path: string) => path.replace(/^guest\./, `${where}.`);
  return insisting((insist) => {
    checkCpu({ ...freeCpu, scheduler: 'deadline', guest: reservation }, insist);
    return kept;
  }, placed);
}

const ofOurThreads = 'nothing: no thread of ours sends the pages of a machine of somebody else';

/**
 * How a machine of somebody else migrates that a host has by its monitor. A page costs what it costs in QEMU's stream.
 * @param over the link that others use too
 * @param reservation of each of its processors
 * @throws UsageError all that is wrong with it
 */
export function requestedMachineMigration(
  document: RequestedMigrationDocument,
  machine: FoundMachine,
  over?: SharedLink,
  reservation: KeptReservation | null = null,
): RequestedMigration {
  const { background, sender, cpu } = document;
  insisting((insist) => {
    insistOnMachine(document, insist);
    insist(background.length === 0, 'background', ofOurThreads, `${background.length} programs`);
    insistOnKernel(document, insist);
    for (const key of ['cpuPerPage', 'cpuPerHandover'] as const)
      insist(sender[key] === 0, `sender.${key}`, ofOurThreads, sender[key]);
  });
  const { guest } = machineDefinition(machine);
  const isReserved = sender.reservation !== undefined || reservation !== null;
  const kept = isReserved ? { ...document, cpu: { ...cpu, scheduler: 'deadline' as const } } : document;
  return requestedMigration(kept, guest, reservation, over, PAGE_RECORD_BYTES);
}
