import { cpus } from 'node:os';
import { cpu } from './cpu.ts';

/** How well CPU reservations are kept, measured now, on this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
await cpu();
process.exit(0);
