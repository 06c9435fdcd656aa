import { cpus } from 'node:os';
import { question } from './daemon.ts';
import { besideRequests } from './daemon-beside-requests.ts';
import { fuzz } from './daemon-fuzz.ts';
import { idle } from './daemon-idle.ts';
import { load, loopDelay } from './daemon-load.ts';
import { soak } from './daemon-soak.ts';

/**
 * How a daemon bears load (220 experiments), wrong requests (10,000), and a soak (600 s); what it uses while idle (20 s);
 * what clients do to a migration (20 moves), and guarantees to downtimes (20 runs of each). The second argument is
 * another number.
 */
const [what = 'all', number] = process.argv.slice(2);
const count = (usual: number) => (number === undefined ? usual : Number(number));
const isAsked = (name: string) => what === 'all' || what === name;
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`);
const failed: string[] = [];
if (isAsked('load')) await load(count(220));
if (isAsked('delay')) await loopDelay();
if (isAsked('idle')) await idle(count(20));
if (isAsked('beside')) await besideRequests(count(20));
if (isAsked('fuzz') && !(await fuzz(count(10_000)))) failed.push('fuzz');
if (isAsked('question')) await question(count(20));
if (isAsked('soak')) {
  const verdict = await soak(count(600));
  console.log(`soak: ${verdict}`);
  if (verdict === 'GROWS') failed.push('soak');
  // Nobody can say: not a failure, and no success.
  if (verdict === 'unclear') process.exitCode = 2;
}
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : process.exitCode);
