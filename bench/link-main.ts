import { cpus } from 'node:os';
import { encryption } from './encryption.ts';
import { latency } from './latency.ts';
import { link } from './link.ts';

/** How well link reservations are kept; with `encryption` what that costs; with `latency` what a long way adds. On this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
// Whoever is told to end takes its network namespaces along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await ({ encryption, latency }[process.argv[2] ?? ''] ?? link)();
process.exit(0);
