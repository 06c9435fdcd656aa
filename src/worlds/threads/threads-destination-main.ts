import { serveParent } from '../../transport/destination-process.ts';
import { Host } from './host.ts';

/** The destination that a run starts for itself: a process of its own on loopback. */
await serveParent(() => Host.listen({ host: '127.0.0.1', port: 0, log: () => {} }));
