import { serveParent } from '../../src/transport/destination-process.ts';
import { VmDestination } from '../../src/worlds/vm/vm-destination.ts';
import { LinuxMachine } from './linux-machine.ts';
import type { LinuxGuestAddress } from './linux-site.ts';

/** The destination of Linux guests, a process of its own, told how they are booted here. Its machines end with it. */
await serveParent(([address]) => {
  const { files, plug }: LinuxGuestAddress = JSON.parse(address!);
  return VmDestination.listen({
    createMachine: ({ guest }, place) =>
      LinuxMachine.create(guest, files, plug, { ...place, role: 'receives' }),
  });
});
