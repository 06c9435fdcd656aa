import { cpus } from 'node:os';
import { load, loopDelay, question, soak, wrongRequests } from './daemon.ts';

/** How a daemon bears load, wrong requests, a soak of so many seconds (600); and what guarantees do to downtimes. */
const [what = 'all', seconds = '600'] = process.argv.slice(2);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
if (what === 'all' || what === 'load') await load();
if (what === 'all' || what === 'delay') await loopDelay();
if (what === 'all' || what === 'requests') await wrongRequests(10_000);
if (what === 'all' || what === 'question') await question(20);
if (what === 'all' || what === 'soak') await soak(Number(seconds));
process.exit(0);
