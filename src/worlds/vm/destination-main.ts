import { reasonOf } from '../failure.ts';
import type { DestinationReport } from '../transfer/destination-process.ts';
import { VmDestination } from './destination.ts';

/**
 * The destination that a run starts for its machines: a process of its own, which ends with its parent. Its machines end
 * with it, unless there are journals by which `recover` finds them.
 */
process.once('disconnect', () => process.exit());
process.on('SIGINT', () => {});
try {
  const [journals] = process.argv.slice(2);
  const { address } = await VmDestination.listen({ journals, log: () => {} });
  process.send!({ kind: 'listening', ...address } satisfies DestinationReport);
} catch (cause) {
  process.send!({ kind: 'failed', why: reasonOf(cause) } satisfies DestinationReport, () => process.exit(1));
}
