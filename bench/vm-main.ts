import { cpus } from 'node:os';
import { vmParts } from './vm.ts';

/** Real virtual machines, measured now, on this machine: all parts, or those that are named. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(vmParts)) {
  if (wanted.length === 0 || wanted.includes(name)) await part();
}
process.exit(0);
