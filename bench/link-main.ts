import { cpus } from 'node:os';
import { link } from './link.ts';

/** How well link reservations are kept, measured now, on this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
// Whoever is told to end takes its network namespaces along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await link();
process.exit(0);
