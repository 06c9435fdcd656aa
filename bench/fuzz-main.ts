import { cpus } from 'node:os';
import { fuzz } from './fuzz.ts';

/** How everything that reads an input takes a spoilt one. Optional: how many inputs, the first seed, and one kind alone. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`);
const [inputs = '1000000', seed = '1', only] = process.argv.slice(2);
if (!(await fuzz(Number(inputs), Number(seed), only))) process.exitCode = 1;
