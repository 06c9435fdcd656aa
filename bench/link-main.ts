import { cpus } from 'node:os';
import { encryption } from './encryption.ts';
import { link } from './link.ts';

/** How well link reservations are kept, or with `encryption` what that costs, measured now, on this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
// Whoever is told to end takes its network namespaces along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await (process.argv[2] === 'encryption' ? encryption() : link());
process.exit(0);
