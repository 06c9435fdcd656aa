import { cpus } from 'node:os';
import { sweepSlides } from './sweep.ts';

/** A sweep of 100,000 runs with all its records on the disk. Half a minute. Optional: how many runs. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
await sweepSlides(Number(process.argv[2] ?? 100_000));
process.exit(0);
