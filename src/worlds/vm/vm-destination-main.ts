import { serveParent } from '../../transport/destination-process.ts';
import { VmDestination } from './vm-destination.ts';

/**
 * The destination that a run starts for its machines, a process of its own. Its machines end with it, unless there are
 * journals by which `recover` finds them.
 */
await serveParent(([journals]) => VmDestination.listen({ journals }));
