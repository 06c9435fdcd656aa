import { cpus } from 'node:os';
import { large } from './large-machine.ts';
import { compare, compared } from './machine-compare.ts';
import { kills } from './machine-kills.ts';
import { moves } from './machine-moves.ts';
import { redis } from './served-moves.ts';

/** Machines that somebody else has started, moved under a plan: all parts, or those that are named. QEMU_10 says where QEMU is. */
const parts = { moves, large, kills, redis, compare, compared };
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) await part();
}
process.exit(0);
