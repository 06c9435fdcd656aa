import { join } from 'node:path';
import type { FolderLock } from '../platform/folder-lock.ts';
import { type Settlement, unproved } from '../transport/settlement.ts';
import { Host } from '../worlds/threads/host.ts';
import type { Configuration } from './configuration.ts';
import { EventLog } from './event-log.ts';
import { Events } from './events.ts';
import { Guests, settledBefore } from './guests.ts';
import { HostCpu } from './host-cpu.ts';
import type { Log } from './log.ts';
import { MachineGuests } from './machine-guests.ts';
import { arrivalBegun, arrivalEnded } from './migration-log.ts';

/** What a daemon is given by its start. */
export interface DaemonParts {
  /** Its state folder is its own. */
  readonly lock: FolderLock;
  /** Where what is moved is written down. */
  readonly journals: string;
  readonly host: Host;
  readonly machines: MachineGuests;
  readonly guests: Guests;
  readonly cpu: HostCpu;
  readonly events: Events;
  readonly eventLog: EventLog;
  readonly settlements: readonly Settlement[];
  readonly log: Log;
}

/**
 * Reads the past, settles its journals, and starts to receive guests.
 * @throws Failure it cannot listen, or the past cannot be read
 */
export async function openParts(
  configuration: Configuration,
  lock: FolderLock,
  log: Log,
): Promise<DaemonParts> {
  const journals = join(configuration.state, 'journals');
  const eventLog = EventLog.open(configuration.state);
  for (const place of eventLog.past.damaged) log(`${place} cannot be read, and is left out`);
  const { settlements, remarks } = await settledBefore(journals, eventLog.past);
  for (const remark of remarks) log(remark);
  for (const line of settlements.flatMap((one) => unproved(one, [journals]))) log(line);
  const cpu = new HostCpu();
  const events = new Events();
  let guests: Guests | undefined;
  const changed = () => guests?.look();
  const machines = new MachineGuests(configuration.machines, {
    ...{ journals, log, changed },
    insistOnRoom: () => eventLog.insistOnRoom(),
    began: (arrival) => log(...arrivalBegun(arrival)),
  });
  const host = await Host.listen({
    ...configuration.receive,
    journals,
    ...(configuration.machines.length > 0 && { others: machines }),
    reserve: ({ guest, reservation }) => {
      eventLog.insistOnRoom();
      machines.insistOnOther(guest.name);
      return cpu.take('guest', guest.name, reservation ? [reservation] : []);
    },
    began: (arrival) => log(...arrivalBegun(arrival)),
    log: (line, arrival) => {
      log(`receive: ${line}`, arrival && arrivalEnded(arrival));
      changed();
    },
  });
  guests = new Guests(host, machines, eventLog, events);
  return { lock, journals, host, machines, guests, cpu, events, eventLog, settlements, log };
}
