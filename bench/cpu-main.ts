import { cpus } from 'node:os';
import { cpu } from './cpu.ts';
import { kernelDeadline } from './kernel-deadline/kernel-deadline.ts';

/** How well CPU reservations are kept; with `deadline`, the kernel's decisions against our rules. Measured now, on this machine. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
await (process.argv[2] === 'deadline' ? kernelDeadline() : cpu());
process.exit(0);
