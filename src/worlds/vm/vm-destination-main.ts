import { serveParent } from '../../transport/destination-process.ts';
import { LinuxMachine } from './linux/linux-machine.ts';
import type { LinuxGuestAddress } from './linux/linux-site.ts';
import { type CreateMachine, VmDestination } from './vm-destination.ts';

/**
 * The destination that a run starts for its machines, a process of its own. Its machines end with it, unless there are
 * journals by which `recover` finds them. Told how Linux guests are booted here, it accepts those.
 */
await serveParent(([journals, linux]) =>
  VmDestination.listen({
    journals: journals || undefined,
    log: () => {},
    ...(linux === undefined ? {} : { createMachine: createLinuxMachine(JSON.parse(linux)) }),
  }),
);

function createLinuxMachine({ files, plug }: LinuxGuestAddress): CreateMachine {
  return ({ guest }, place) => LinuxMachine.create(guest, files, plug, { ...place, role: 'receives' });
}
