import { reasonOf } from '../../platform/failure.ts';
import type { DestinationReport } from '../../transport/destination-process.ts';
import { LinuxMachine } from './linux/linux-machine.ts';
import type { LinuxGuestAddress } from './linux/linux-site.ts';
import { type CreateMachine, VmDestination } from './vm-destination.ts';

/**
 * The destination that a run starts for its machines: a process of its own, which ends with its parent. Its machines end
 * with it, unless there are journals by which `recover` finds them. Told how Linux guests are booted here, it takes those.
 */
process.once('disconnect', () => process.exit());
process.on('SIGINT', () => {});
try {
  const [journals, linux] = process.argv.slice(2);
  const { address } = await VmDestination.listen({
    journals: journals || undefined,
    log: () => {},
    ...(linux === undefined ? {} : { createMachine: createLinuxMachine(JSON.parse(linux)) }),
  });
  process.send!({ kind: 'listening', ...address } satisfies DestinationReport);
} catch (cause) {
  process.send!({ kind: 'failed', why: reasonOf(cause) } satisfies DestinationReport, () => process.exit(1));
}

function createLinuxMachine({ files, plug }: LinuxGuestAddress): CreateMachine {
  return ({ guest }, place) => LinuxMachine.create(guest, files, plug, { ...place, role: 'receives' });
}
