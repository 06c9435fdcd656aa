import { cpus } from 'node:os';
import { fuzz } from './fuzz.ts';

/** How the wire takes what no honest end would say. Optional: how many inputs, and the seed. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
const [inputs, seed] = process.argv.slice(2).map(Number);
fuzz(inputs, seed);
