import { cpus } from 'node:os';
import { link } from './link.ts';

/** How well link reservations are kept, measured now, on this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
await link();
process.exit(0);
