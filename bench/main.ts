import { cpus } from 'node:os';
import { arithmetic } from './arithmetic.ts';
import { bigGuest } from './big-guest.ts';
import { pacing } from './pacing.ts';
import { startUp } from './start-up.ts';
import { streaming } from './streaming.ts';
import { virtual } from './virtual.ts';

/** Prints figures, measured now, on this machine. Nothing is asserted: that is what the tests are for. */
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
for (const bench of [startUp, arithmetic, virtual, pacing, streaming, bigGuest]) {
  await bench();
  console.log();
}
process.exit(0);
