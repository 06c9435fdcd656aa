import { reasonOf } from '../../platform/failure.ts';
import type { DestinationReport } from '../../transport/destination-process.ts';
import { Host } from './host.ts';

/** The destination that a run starts for itself: a process of its own on loopback, which ends with its parent. */
process.once('disconnect', () => process.exit());
process.on('SIGINT', () => {});
try {
  const { address } = await Host.listen({ host: '127.0.0.1', port: 0, log: () => {} });
  process.send!({ kind: 'listening', ...address } satisfies DestinationReport);
} catch (cause) {
  process.send!({ kind: 'failed', why: reasonOf(cause) } satisfies DestinationReport, () => process.exit(1));
}
